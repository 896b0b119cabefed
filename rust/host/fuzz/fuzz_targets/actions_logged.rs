// SPDX-License-Identifier: GPL-2.0

//! What is written to `actions_logged` and read back, against a second implementation that takes
//! the text apart in the way of C: byte by byte, by `strsep()`, with a table of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../action.rs"]
#[expect(dead_code, reason = "it is the kernel crate that uses all of it")]
mod action;
#[path = "../../../action_set.rs"]
#[expect(dead_code, reason = "it is the kernel crate that uses all of it")]
mod action_set;

use action_set::{ActionSet, TEXT_SIZE};

/// `SECCOMP_LOG_*`, in the order of `seccomp_log_names[]`.
const NAMES: [(u32, &[u8]); 8] = [
    (1 << 0, b"kill_process"),
    (1 << 1, b"kill_thread"),
    (1 << 2, b"trap"),
    (1 << 3, b"errno"),
    (1 << 7, b"user_notif"),
    (1 << 4, b"trace"),
    (1 << 5, b"log"),
    (1 << 6, b"allow"),
];
const ALLOW: u32 = 1 << 6;

/// What stands before the NUL, or all of it.
fn c_string(text: &[u8]) -> Vec<u8> {
    let mut string = Vec::new();
    for &byte in text {
        if byte == 0 {
            break;
        }
        string.push(byte);
    }
    string
}

/// The mask that a text stands for, `None` for `EINVAL`.
fn naive_parse(text: &[u8]) -> Option<u32> {
    let string = c_string(text);
    let mut mask = 0;
    let mut at = 0;
    loop {
        let mut token = Vec::new();
        while at < string.len() && string[at] != b' ' {
            token.push(string[at]);
            at += 1;
        }
        if token.is_empty() {
            break;
        }
        let mut bit = 0;
        for (value, name) in NAMES {
            if token == name {
                bit = value;
            }
        }
        if bit == 0 {
            return None;
        }
        mask |= bit;
        if at == string.len() {
            break;
        }
        at += 1;
    }
    if mask & ALLOW == 0 {
        Some(mask)
    } else {
        None
    }
}

/// The text of a mask, NUL bytes behind.
fn naive_format(mask: u32, separator: u8) -> Vec<u8> {
    let mut text = Vec::new();
    for (bit, name) in NAMES {
        if mask & bit != 0 {
            if !text.is_empty() {
                text.push(separator);
            }
            text.extend_from_slice(name);
        }
    }
    assert!(text.len() < TEXT_SIZE, "no room for the NUL");
    text.resize(TEXT_SIZE, 0);
    text
}

/// The parser in question.
fn parse(text: &[u8]) -> Option<u32> {
    #[cfg(feature = "planted")]
    {
        // What one would do who did not know strsep(): an empty name is passed over.
        let mut names: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
        names.retain(|name| !name.is_empty());
        ActionSet::parse_loggable(&names.join(&b' ')).map(ActionSet::bits)
    }
    #[cfg(not(feature = "planted"))]
    ActionSet::parse_loggable(text).map(ActionSet::bits)
}

fn format(mask: u32, separator: u8) -> [u8; TEXT_SIZE] {
    ActionSet::from_bits(mask).text(separator)
}

fuzz_target!(|text: &[u8]| {
    let mask = parse(text);
    assert_eq!(mask, naive_parse(text));

    if let Some(mask) = mask {
        for separator in [b' ', b','] {
            let formatted = format(mask, separator);
            assert_eq!(formatted.as_slice(), naive_format(mask, separator));
        }
        assert_eq!(parse(&format(mask, b' ')), Some(mask));
    }

    // Masks that no text stands for, "allow" among them.
    if let Some(&bits) = text.first() {
        let mask = u32::from(bits);
        assert_eq!(format(mask, b' ').as_slice(), naive_format(mask, b' '));
    }
});
