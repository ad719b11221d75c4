//! The program `benches`: a command for each thing that can be measured, or takes part in it.

use std::process::ExitCode;

use benches::command_line;
use benches::commands::{chat, load, map, report, serve, servers};
use clap::{Parser, Subcommand};

/// How fast the library is, and against what.
#[derive(Parser)]
#[command(name = "benches", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(report::Arguments),
    Servers(servers::Arguments),
    Map(map::Arguments),
    Serve(serve::Arguments),
    Load(load::Arguments),
    Chat(chat::Arguments),
}

fn main() -> ExitCode {
    command_line::main(|arguments: Arguments| match arguments.command {
        Command::Report(arguments) => report::run(&arguments),
        Command::Servers(arguments) => servers::run(&arguments),
        Command::Map(arguments) => map::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Chat(arguments) => chat::run(&arguments),
    })
}
