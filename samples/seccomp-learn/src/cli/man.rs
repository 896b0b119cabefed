// SPDX-License-Identifier: GPL-2.0-only

//! The manual page and the completions.

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use super::args::{self, Cli};
use super::say::print_all;

/// Completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seccomp-learn", &mut text);
    print_all(&text)
}

/// The manual page: one for all commands, as there is one program.
pub fn page() -> Result<u8> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    writeln!(
        text,
        ".SH SYNOPSIS\n\\fBseccomp\\-learn\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] ..."
    )?;
    writeln!(text, ".SH DESCRIPTION")?;
    paragraphs(&mut text, args::DESCRIPTION)?;
    for sub in command.get_subcommands() {
        if sub.get_name() == "help" {
            continue;
        }
        let page = clap_mangen::Man::new(sub.clone());
        let mut part = Vec::new();
        page.render_synopsis_section(&mut part)?;
        page.render_description_section(&mut part)?;
        page.render_options_section(&mut part)?;
        writeln!(text, ".SH \"COMMAND: {}\"", sub.get_name().to_uppercase())?;
        // Its sections are parts of this one.
        for line in String::from_utf8_lossy(&part).lines() {
            let line = line.replacen(".SH ", ".SS ", usize::from(line.starts_with(".SH ")));
            writeln!(text, "{line}")?;
        }
    }
    for (title, body) in args::SECTIONS {
        writeln!(text, ".SH {title}")?;
        paragraphs(&mut text, body)?;
    }
    print_all(&text)
}

/// Text as roff: lines with an indent stay lines.
fn paragraphs(out: &mut Vec<u8>, body: &str) -> Result<()> {
    for line in body.lines() {
        let escaped = line.trim_start().replace('\\', "\\e").replace('-', "\\-");
        match line {
            "" => writeln!(out, ".PP")?,
            _ if line.starts_with(' ') => writeln!(out, ".br\n\\&    {escaped}")?,
            _ => writeln!(out, "\\&{escaped}")?,
        }
    }
    Ok(())
}
