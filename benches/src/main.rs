//! The program `benches`: a command for each thing that can be measured, or takes part in it.

use std::process::ExitCode;

use benches::command_line;
use benches::commands::{load, ratio, serve};
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
    Ratio(ratio::Arguments),
    Load(load::Arguments),
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    command_line::main(|arguments: Arguments| match arguments.command {
        Command::Ratio(arguments) => ratio::run(arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    })
}
