//! Every command, without a socket: what is said to it, and who is told what.

mod rig;

mod joining;
