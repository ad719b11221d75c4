//! What the program `benches` can be told to do, a file for each command.

pub mod chat;
pub mod chat_servers;
pub mod load;
pub mod map;
pub mod report;
mod rounds;
pub mod serve;
pub mod servers;
