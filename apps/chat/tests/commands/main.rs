//! Every command, without a socket: what is said to it, and who is told what.

mod rig;

mod any_input;
mod any_lines;
mod help;
mod invite;
mod joining;
mod kick;
mod list;
mod messaging;
mod mode;
mod monitor;
mod naming;
mod oper;
mod people;
mod registration;
mod server_info;
mod topic;
mod who;
mod whois;
