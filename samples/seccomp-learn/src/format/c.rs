// SPDX-License-Identifier: GPL-2.0-only

//! C source that puts its process under the profile with libseccomp.

use std::collections::BTreeMap;

use super::{left_out, libseccomp_archs, lower, never, Rendered};
use crate::action::Action;
use crate::condition::{Op, Test};
use crate::error::Result;
use crate::profile::Profile;
use crate::syscalls::{Arch, Call, X32_BIT};

/// How many numbers beyond the known ones a filter answers with ENOSYS; there
/// come a handful a year.
const YEARS: u32 = 64;

pub fn write(profile: &Profile) -> Result<Rendered> {
    let mut warnings = Vec::new();
    let archs = libseccomp_archs(profile)?;
    let action = match profile.action.unwrap_or(Action::Kill) {
        Action::Kill => "SCMP_ACT_KILL_PROCESS".to_owned(),
        Action::Errno(errno) => format!("SCMP_ACT_ERRNO({errno})"),
        Action::Log => "SCMP_ACT_LOG".to_owned(),
    };
    let mut text = String::new();
    if let Some(why) = &profile.incomplete {
        text.push_str(&format!("/* incomplete: {} */\n", why.replace("*/", "* /")));
    }
    text.push_str("/* Link with -lseccomp. */\n#include <errno.h>\n#include <stddef.h>\n");
    text.push_str(&headers(profile));
    let mut parts = Vec::new();
    for arch in archs {
        let Some(scmp) = arch.scmp_name() else {
            warnings.push(format!(
                "libseccomp has no name for {arch}: its calls are left out"
            ));
            continue;
        };
        let list = format!("calls_{}", scmp["SCMP_ARCH_".len()..].to_lowercase());
        text.push_str(&format!("\nstatic const int {list}[] = {{\n"));
        let mut calls: Vec<(String, Call)> = profile
            .calls
            .keys()
            .filter(|call| call.arch() == arch)
            .map(|&call| (call.label(), call))
            .collect();
        calls.sort();
        let mut conditional = Vec::new();
        for (label, call) in calls {
            let when = profile.calls.get(&call).map(|seen| &seen.when);
            if let Some(when) = when.filter(|when| !when.is_always()) {
                conditional.push((label, call, when));
                continue;
            }
            let implied = profile
                .calls
                .get(&call)
                .and_then(|seen| seen.implied.as_ref());
            let comment = implied.map_or(String::new(), |reason| {
                format!(" /* implied: {} */", reason.replace("*/", "* /"))
            });
            if call.name().is_some() {
                text.push_str(&format!("\tSCMP_SYS({label}),{comment}\n"));
            } else if arch == Arch::NATIVE {
                // libseccomp takes the numbers of the machine that it is on.
                text.push_str(&format!("\t{label},\n"));
            } else {
                warnings.push(format!(
                    "libseccomp cannot be given {arch} call {label}: it is left out"
                ));
            }
        }
        text.push_str("};\n");
        let mut rules = String::new();
        for (label, call, when) in &conditional {
            let nr = match call.name() {
                Some(_) => format!("SCMP_SYS({label})"),
                None if arch == Arch::NATIVE => label.clone(),
                None => {
                    warnings.push(format!(
                        "libseccomp cannot be given {arch} call {label}: it is left out"
                    ));
                    continue;
                }
            };
            let lowered = lower::libseccomp(when);
            warnings.extend(left_out(label, "libseccomp", lowered.left_out));
            if lowered.cases.is_empty() {
                warnings.push(never(label));
            }
            for case in &lowered.cases {
                rules.push_str(&format!(
                    "\tif (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, {nr}, {}{}))\n\t\treturn -1;\n",
                    case.len(),
                    case.iter().map(comparison).collect::<String>(),
                ));
            }
        }
        let absent = profile.absent.calls.iter();
        for call in absent.filter(|call| call.arch() == arch) {
            if let Some(name) = call.name() {
                rules.push_str(&format!(
                    "\tif (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS({name}), 0))\n\t\treturn -1;\n"
                ));
            }
        }
        match profile.absent.newer.get(&arch) {
            Some(from) if arch == Arch::NATIVE => rules.push_str(&format!(
                "\t/* What newer kernels have: some years of it. */\n\
                 \tfor (int nr = {from}; nr < {from} + {YEARS}; nr++)\n\
                 \t\tif (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0))\n\t\t\treturn -1;\n"
            )),
            Some(_) => warnings.push(format!(
                "libseccomp cannot be given numbers of {arch}: newer calls are not answered with ENOSYS"
            )),
            None => {}
        }
        let more = match rules.is_empty() {
            true => "NULL".to_owned(),
            false => {
                let name = list.replace("calls_", "rules_");
                text.push_str(&format!(
                    "\n/* What has an answer of its own. */\n\
                     static int {name}(scmp_filter_ctx ctx)\n{{\n{rules}\treturn 0;\n}}\n"
                ));
                name
            }
        };
        parts.push((scmp, list, more));
    }
    text.push_str(&format!(
        "\n/* A filter for one architecture. */\n\
         static scmp_filter_ctx filter_for(uint32_t arch, const int *calls, size_t n,\n\
         \t\t\t\t  int (*rules)(scmp_filter_ctx ctx))\n{{\n\
         \tscmp_filter_ctx ctx = seccomp_init({action});\n\tsize_t i;\n\n\
         \tif (!ctx)\n\t\treturn NULL;\n\
         \tif (arch != seccomp_arch_native() &&\n\
         \t    (seccomp_arch_add(ctx, arch) ||\n\
         \t     seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE)))\n\t\tgoto fail;\n\
         \tif (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, {action}))\n\t\tgoto fail;\n\
         \tfor (i = 0; i < n; i++)\n\
         \t\tif (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0))\n\t\t\tgoto fail;\n\
         \tif (rules && rules(ctx))\n\t\tgoto fail;\n\
         \treturn ctx;\nfail:\n\tseccomp_release(ctx);\n\treturn NULL;\n}}\n\n\
         /* Puts this process under the profile: 0, or a negative error. */\n\
         int load_seccomp_profile(void)\n{{\n\tscmp_filter_ctx ctx = NULL, part;\n\tint ret;\n\n"
    ));
    for (scmp, list, rules) in &parts {
        text.push_str(&format!(
            "\tpart = filter_for({scmp}, {list}, sizeof({list}) / sizeof({list}[0]), {rules});\n\
             \tif (!part) {{\n\t\tseccomp_release(ctx);\n\t\treturn -EINVAL;\n\t}}\n\
             \tif (!ctx) {{\n\t\tctx = part;\n\t}} else if ((ret = seccomp_merge(ctx, part))) {{\n\
             \t\tseccomp_release(part);\n\t\tseccomp_release(ctx);\n\t\treturn ret;\n\t}}\n"
        ));
    }
    text.push_str("\tret = seccomp_load(ctx);\n\tseccomp_release(ctx);\n\treturn ret;\n}\n");
    Ok(Rendered { text, warnings })
}

/// From this number on a call has the same one on all machines; Linux 5.1.
const SAME_NUMBERS: u32 = 424;

/// libseccomp's header, and what it and the C library's may be too old to know.
fn headers(profile: &Profile) -> String {
    let calls = profile.calls.keys().chain(&profile.absent.calls);
    let newer: BTreeMap<String, u32> = calls
        .filter_map(|call| Some((call.name()?, call.nr & !X32_BIT)))
        .filter(|&(_, nr)| nr >= SAME_NUMBERS)
        .collect();
    let mut text = String::new();
    if !newer.is_empty() {
        text.push_str(
            "#include <asm/unistd.h>\n\n\
             /* Headers may be older than these, which have one number on all machines but few. */\n\
             #if !defined(__alpha__) && !defined(__mips__) && \\\n\
             \t!(defined(__x86_64__) && defined(__ILP32__))\n",
        );
        for (name, nr) in &newer {
            text.push_str(&format!(
                "#ifndef __NR_{name}\n#define __NR_{name} {nr}\n#endif\n"
            ));
        }
        text.push_str("#endif\n");
    }
    text.push_str("#include <seccomp.h>\n");
    for name in newer.keys() {
        text.push_str(&format!(
            "#ifndef __SNR_{name}\n#define __SNR_{name} __NR_{name}\n#endif\n"
        ));
    }
    text
}

/// A comparison as an argument of `seccomp_rule_add()`.
fn comparison(test: &Test) -> String {
    let Test {
        arg, mask, value, ..
    } = test;
    let op = match test.op {
        _ if *mask != u64::MAX => {
            return format!(
                ",\n\t\t\t     SCMP_A{arg}(SCMP_CMP_MASKED_EQ, {mask:#x}ull, {value:#x}ull)"
            );
        }
        Op::Eq => "EQ",
        Op::Ne => "NE",
        Op::Lt => "LT",
        Op::Le => "LE",
        Op::Gt => "GT",
        Op::Ge => "GE",
    };
    format!(",\n\t\t\t     SCMP_A{arg}(SCMP_CMP_{op}, {value:#x}ull)")
}
