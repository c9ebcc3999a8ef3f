//! The command line as a person meets it: the real binary, in a folder of its own, with
//! an empty environment.

mod care;
mod component_run;
mod config;
mod console;
mod demo;
mod executions;
mod flows;
mod init;
mod keys;
mod lists;
mod place;
mod recipes;
mod serve;
mod shell;
mod users;

use place::Place;
