// SPDX-License-Identifier: GPL-2.0-only

//! The program as people call it, on this machine and without privilege.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::unistd::pipe2;
use tempfile::TempDir;

struct Bench(TempDir);

struct Done {
    status: i32,
    out: String,
    err: String,
}

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        name.to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seccomp-learn"));
        command.args(args).current_dir(self.0.path());
        command
    }

    fn call(&self, args: &[&str]) -> Done {
        done(self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    fn feed(&self, args: &[&str], input: &str) -> Done {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not read ends before all is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        done(child.wait_with_output().unwrap())
    }
}

fn done(output: Output) -> Done {
    Done {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

/// Whether this machine lets us be a listener; containers may not. The program is
/// not asked, as it may be what is broken.
fn can_notify() -> bool {
    let install = || {
        let mut allow = libc::sock_filter {
            code: (libc::BPF_RET | libc::BPF_K) as u16,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ALLOW,
        };
        let program = libc::sock_fprog {
            len: 1,
            filter: &raw mut allow,
        };
        // SAFETY: the kernel reads the instruction that the program points to.
        let listener = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &raw const program,
            )
        };
        match listener {
            ..0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: the closure makes system calls only.
    let asked = unsafe { Command::new("true").pre_exec(install).status() };
    if let Err(e) = &asked {
        eprintln!("SKIP: no listener here: {e}");
    }
    asked.is_ok()
}

#[test]
fn a_recorded_log_becomes_a_profile() {
    let bench = Bench::new();
    let whole = bench.call(&["from-log", &data("audit.log")]);
    assert_eq!(whole.status, 0, "{}", whole.err);
    assert!(whole.err.contains("190 records, 48 distinct calls"));
    assert!(whole.err.contains("several programs"));
    for name in ["getdents64", "i386:geteuid32", "i386:getpgid", "4000"] {
        assert!(whole.out.lines().any(|line| line == name), "{name}");
    }
    let one = bench.call(&[
        "from-log",
        "--exe",
        "/usr/local/bin/a program",
        "--format",
        "json",
        &data("audit.log"),
    ]);
    assert_eq!(one.status, 0, "{}", one.err);
    // The name was in hexadecimal in the record.
    assert!(one.out.contains("\"first\": \"a program\""), "{}", one.out);
    let shown = bench.feed(&["show", "-"], &one.out).err;
    let from = "/usr/local/bin/a program on an unknown kernel: 1 log, ";
    assert!(shown.contains(from), "{shown}");
    assert!(!one.out.contains("getdents64"));
}

/// A plain list without what systemd allows beside it.
fn listed(plain: &str) -> String {
    let lines = plain.split_inclusive('\n');
    lines
        .filter(|line| !line.contains("# implied: systemd allows"))
        .collect()
}

#[test]
fn a_kernel_log_never_claims_to_be_whole() {
    let bench = Bench::new();
    let done = bench.call(&["from-log", "-o", "list", &data("dmesg.txt")]);
    assert_eq!(done.status, 124);
    let list = fs::read_to_string(bench.path("list")).unwrap();
    assert!(list.starts_with("# incomplete: "), "{list}");
    // The mark is kept by every format that is read back.
    for format in ["json", "oci", "systemd", "minijail", "seccompiler"] {
        let there = bench.call(&["convert", "--to", format, "list"]);
        let back = bench.feed(&["convert", "-"], &there.out);
        assert_eq!(listed(&back.out), list, "{format}");
    }
}

#[test]
fn bad_logs_are_said() {
    let bench = Bench::new();
    let none = bench.feed(&["from-log"], "nothing here\n");
    assert_eq!(none.status, 125);
    assert!(none.err.contains("no seccomp record"), "{}", none.err);
    let log = data("audit.log");
    let other = bench.call(&["from-log", "--exe", "/usr/bin/typo", "--pid", "1", &log]);
    assert_eq!(other.status, 125);
    assert!(
        other.err.contains("of 190 seccomp records"),
        "{}",
        other.err
    );
    let choice = "none is of --pid 1 --exe /usr/bin/typo\n";
    assert!(other.err.ends_with(choice), "{}", other.err);
    let cut = bench.feed(
        &["from-log"],
        "x\ntype=SECCOMP msg=audit(1.2:3): auid=0 arch=c0000",
    );
    assert_eq!(cut.status, 124);
    assert!(cut.err.contains("-:2:32: "), "{}", cut.err);
    assert_eq!(bench.call(&["from-log", "no-such-file"]).status, 125);
    assert_eq!(bench.call(&["from-log", "."]).status, 125);
}

/// A profile of our own whose socket is for AF_UNIX, or AF_INET streams.
const CONDITIONS: &str = "{\"format\":\"seccomp-learn\",\"version\":1,\"calls\":[\
    {\"arch\":\"x86-64\",\"name\":\"read\"},\
    {\"arch\":\"x86-64\",\"name\":\"socket\",\"when\":[[{\"arg\":0,\"op\":\"eq\",\"value\":1}],[\
    {\"arg\":0,\"op\":\"eq\",\"value\":2},{\"arg\":1,\"mask\":15,\"op\":\"eq\",\"value\":1}]]}]}";

#[test]
fn conditions_go_from_format_to_format() {
    let bench = Bench::new();
    bench.file("a", CONDITIONS);
    let shown = bench.call(&["show", "a"]);
    for format in ["json", "oci", "minijail", "seccompiler"] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        assert_eq!((there.status, &*there.err), (0, ""), "{format}");
        let diff = bench.feed(&["diff", "a", "-"], &there.out);
        // minijail has no masked equality, and says the same by bits.
        if format != "minijail" {
            assert_eq!((diff.status, &*diff.out), (0, ""), "{format}");
            let back = bench.feed(&["show", "-"], &there.out);
            assert_eq!(back.out, shown.out, "{format}");
        }
    }
    let policy = bench.call(&["convert", "--to", "minijail", "a"]).out;
    assert!(
        policy.contains("socket: arg0 == 0x1 || arg0 == 0x2 && arg1 & 0x1 && arg1 in"),
        "{policy}"
    );
    for format in ["systemd", "plain"] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        assert!(
            there.err.contains("has no conditions on arguments: socket"),
            "{}",
            there.err
        );
    }
    let source = bench.call(&["convert", "--to", "c", "a"]).out;
    assert!(source.contains("SCMP_SYS(socket), 2,\n"), "{source}");
    assert!(
        source.contains("SCMP_A1(SCMP_CMP_MASKED_EQ, 0xfull, 0x1ull)"),
        "{source}"
    );
}

#[test]
fn what_is_not_wanted_is_left_out_of_each_format() {
    let bench = Bench::new();
    bench.file("a", CONDITIONS);
    for format in ["json", "oci", "minijail", "seccompiler"] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        let without = |option: &str, text: &str| {
            let done = bench.feed(&["convert", option, "-"], text);
            assert_eq!(done.status, 0, "{format}: {}", done.err);
            done.out
        };
        let always = without("--ignore-conditional", &there.out);
        assert_eq!(always, "read\n", "{format}");
        let strange = there.out.replace("read", "nonsense");
        // With its number it is known.
        let strange = strange.replace("\"nr\": 0,", "");
        let refused = bench.feed(&["convert", "-"], &strange);
        assert!(
            refused.err.contains("--ignore-unknown"),
            "{format}: {}",
            refused.err
        );
        let known = without("--ignore-unknown", &strange);
        assert!(
            known.starts_with("socket") && known.lines().count() == 1,
            "{format}: {known}"
        );
    }
    let absent = CONDITIONS.replace("\"calls\"", "\"absent\":[\"x86-64:nonsense\"],\"calls\"");
    assert_eq!(bench.feed(&["convert", "-"], &absent).status, 125);
    let known = bench.feed(&["convert", "--ignore-unknown", "-"], &absent);
    assert_eq!(known.out.lines().count(), 2, "{}", known.err);
}

#[test]
fn a_difference_says_which_way_a_condition_went() {
    let bench = Bench::new();
    bench.file("a", CONDITIONS);
    bench.file(
        "b",
        &CONDITIONS.replace("[{\"arg\":0,\"op\":\"eq\",\"value\":1}],", ""),
    );
    bench.file("all", "read\nsocket\n");
    let difference = |old, new| bench.call(&["diff", "--no-groups", old, new]).out;
    assert!(difference("a", "b").starts_with("~socket  tightened: domain == AF_UNIX || "));
    assert!(difference("b", "a").starts_with("~socket  loosened: "));
    assert!(difference("a", "all").trim_end().ends_with(" -> always"));
    assert_eq!(bench.call(&["diff", "a", "b"]).status, 1);
    let sum = bench.call(&["merge", "--format", "json", "a", "b"]).out;
    assert_eq!(bench.feed(&["diff", "a", "-"], &sum).out, "");
}

#[test]
fn a_condition_that_a_log_lifts_is_said() {
    let bench = Bench::new();
    bench.file("a", CONDITIONS);
    let record = "type=SECCOMP msg=audit(1.2:3): ses=1 pid=1 comm=\"a\" exe=\"/bin/a\" \
                  arch=c000003e syscall=41 code=0x7ffc0000\n";
    let done = bench.feed(
        &["from-log", "--base", "a", "--exact", "--format", "json"],
        record,
    );
    assert!(
        done.err.contains("socket had conditions, and has none now"),
        "{}",
        done.err
    );
    assert!(!done.out.contains("\"when\""), "{}", done.out);
    let other = record.replace("syscall=41", "syscall=1");
    let done = bench.feed(
        &["from-log", "--base", "a", "--exact", "--format", "json"],
        &other,
    );
    assert!(!done.err.contains("had conditions"), "{}", done.err);
    assert!(done.out.contains("\"when\""), "{}", done.out);
}

#[test]
fn rules_for_some_machines_are_read_for_the_one_that_is_named() {
    let bench = Bench::new();
    bench.file("docker", r#"{"defaultAction": "SCMP_ACT_ERRNO",
 "archMap": [{"architecture": "SCMP_ARCH_X86_64"}, {"architecture": "SCMP_ARCH_S390X"}], "syscalls": [
 {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64"]}},
 {"names": ["s390_pci_mmio_read"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
 {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
 {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}]}"#);
    let read = |args: &[&str]| {
        let all = [
            &[
                "convert",
                "docker",
                "--for-arch",
                "x86-64",
                "--for-kernel",
                "6.1",
            ],
            args,
        ];
        bench.call(&all.concat()).out.replace('\n', " ")
    };
    assert_eq!(read(&[]), "arch_prctl ptrace ");
    assert_eq!(
        read(&["--caps", "cap_sys_admin"]),
        "arch_prctl mount ptrace "
    );
    let done = bench.call(&[
        "convert",
        "docker",
        "--for-arch",
        "s390x",
        "--for-kernel",
        "4.4",
    ]);
    assert_eq!(done.out, "s390x:s390_pci_mmio_read\n", "{}", done.err);
    assert_eq!(
        bench.call(&["show", "docker", "--caps", "nonsense"]).status,
        125
    );
}

/// They do not become this machine's.
#[test]
fn architectures_without_names_are_said() {
    let bench = Bench::new();
    let profile = |archs: &str| {
        format!("{{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": [{archs}], \"syscalls\": [\n\
                 {{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"}}]}}")
    };
    let some = bench.feed(
        &["convert", "-"],
        &profile("\"SCMP_ARCH_AARCH64\", \"SCMP_ARCH_MIPS\""),
    );
    assert_eq!(
        (some.status, &*some.out),
        (0, "arm64:read\n"),
        "{}",
        some.err
    );
    assert!(
        some.err
            .contains("-: the names of SCMP_ARCH_MIPS are not known"),
        "{}",
        some.err
    );
    for none in ["\"SCMP_ARCH_MIPS\"", "\"SCMP_ARCH_X86-64\""] {
        let none = bench.feed(&["convert", "-"], &profile(none));
        assert_eq!((none.status, &*none.out), (125, ""), "{}", none.err);
        assert!(none.err.contains("-:1:55: "), "{}", none.err);
    }
}

/// What `name` of the headers is, without what came with Linux 5.1 and later.
fn older_header(bench: &Bench, name: &str) -> bool {
    let places = ["/usr/include", "/usr/include/x86_64-linux-gnu"];
    let found = places.iter().find_map(|place| {
        let path = Path::new(place).join(name);
        fs::read_to_string(path).ok()
    });
    let Some(text) = found else {
        eprintln!("SKIP: no {name}");
        return false;
    };
    let newer = ["clone3", "openat2", "faccessat2", "futex_waitv"];
    let old = text.lines().filter(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // A definition of one, whatever it is defined as.
        !matches!(words[..], ["#define", word, ..] if newer.iter().any(|name| {
            word.strip_suffix(name).is_some_and(|head| ["__NR_", "__SNR_"].contains(&head))
        }))
    });
    let path = bench.path("old").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text: Vec<&str> = old.collect();
    fs::write(path, text.join("\n") + "\n").unwrap();
    true
}

/// Where headers are older than the calls, the C source brings their numbers.
#[test]
fn the_c_source_compiles_with_older_headers() {
    let bench = Bench::new();
    let there = ["asm/unistd_64.h", "seccomp-syscalls.h"].map(|name| older_header(&bench, name));
    if there.contains(&false) || !cfg!(target_arch = "x86_64") {
        return;
    }
    let calls = "read\nclone3\nopenat2\ni386:openat2\nfaccessat2\nfutex_waitv\n";
    bench.file("a", calls);
    let done = bench.call(&["convert", "--to", "c", "-o", "a.c", "a"]);
    assert_eq!(done.status, 0, "{}", done.err);
    let compile = |name: &str| {
        Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-isystem", "old", "-c", name])
            .current_dir(bench.path("."))
            .output()
    };
    // Names alone do not do there.
    bench.file(
        "names.c",
        "#include <seccomp.h>\nint a = SCMP_SYS(openat2);\n",
    );
    let Ok(names) = compile("names.c") else {
        eprintln!("SKIP: no C compiler");
        return;
    };
    assert!(!names.status.success());
    let output = compile("a.c").unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The program whose arguments tests choose, where it can be compiled.
fn programs(bench: &Bench) -> bool {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs.c");
    let compiled = Command::new("cc")
        .args(["-O1", "-pthread", "-o", "programs"])
        .arg(source)
        .current_dir(bench.path("."))
        .output();
    let done = compiled.is_ok_and(|output| output.status.success());
    if !done {
        eprintln!("SKIP: no C compiler");
    }
    done
}

/// A list, "l", with conditions of a program that opens a stream socket of AF_UNIX;
/// none where that cannot be.
fn learnt_socket() -> Option<Bench> {
    let bench = Bench::new();
    if !can_notify() || !programs(&bench) {
        return None;
    }
    let learning = "run --via notify --args --format json -o l -- ./programs socket 1 1";
    let learnt = bench.call(&learning.split(' ').collect::<Vec<_>>());
    assert_eq!(learnt.status, 0, "{}", learnt.err);
    Some(bench)
}

/// seccompiler itself puts a program under what is written: the kernel lets through
/// what was seen, and kills for another value.
#[test]
fn seccompiler_enforces_what_is_written() {
    use std::os::unix::process::ExitStatusExt;
    let Some(bench) = learnt_socket() else { return };
    // The program's own function is named, which called the C library's.
    let why = bench.call(&["explain", "socket", "l"]).out;
    let mut lines = why.lines();
    assert!(
        lines.any(|line| line.starts_with("from ") && line.contains("libc")),
        "{why}"
    );
    let caller = lines.next().unwrap_or_default();
    assert!(
        caller.starts_with("called from /") && caller.contains("/programs, "),
        "{why}"
    );
    let written = bench.call(&["convert", "--to", "seccompiler", "l"]);
    assert_eq!(written.status, 0, "{}", written.err);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let mut filters = seccompiler::compile_from_json(written.out.as_bytes(), arch)
        .unwrap_or_else(|e| panic!("{e}: {}", written.out));
    let filter = filters.remove("main_thread").unwrap();
    let under = |domain: &str, kind: &str| {
        let filter = filter.clone();
        let mut command = Command::new("./programs");
        command
            .args(["socket", domain, kind])
            .current_dir(bench.path("."));
        // SAFETY: it makes two system calls, and allocates nothing unless they fail.
        unsafe {
            command
                .pre_exec(move || seccompiler::apply_filter(&filter).map_err(std::io::Error::other))
        };
        command.status().unwrap()
    };
    assert_eq!(under("1", "1").code(), Some(0));
    assert_eq!(under("16", "3").signal(), Some(libc::SIGSYS));
    assert_eq!(under("1", "2").signal(), Some(libc::SIGSYS));
}

/// libseccomp does the same, from the C source.
#[test]
fn libseccomp_enforces_what_is_written() {
    use std::os::unix::process::ExitStatusExt;
    let Some(bench) = learnt_socket() else { return };
    let written = bench.call(&["convert", "--to", "c", "-o", "p.c", "l"]);
    assert_eq!(written.status, 0, "{}", written.err);
    bench.file(
        "main.c",
        "#include <unistd.h>\nint load_seccomp_profile(void);\n\
         int main(int argc, char **argv)\n{\n\tif (argc < 2 || load_seccomp_profile())\n\t\treturn 99;\n\
         \texecv(argv[1], argv + 1);\n\treturn 98;\n}\n",
    );
    let linked = Command::new("cc")
        .args(["-Wall", "-o", "under", "main.c", "p.c", "-lseccomp"])
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&linked.stderr);
    assert!(linked.status.success(), "{said}");
    let under = |domain: &str, kind: &str| {
        Command::new("./under")
            .args(["./programs", "socket", domain, kind])
            .current_dir(bench.path("."))
            .status()
            .unwrap()
    };
    assert_eq!(under("1", "1").code(), Some(0));
    assert_eq!(under("16", "3").signal(), Some(libc::SIGSYS));
    assert_eq!(under("1", "2").signal(), Some(libc::SIGSYS));
}

/// The C source is compiled, and linked, where that can be.
#[test]
fn the_c_source_with_conditions_compiles() {
    let bench = Bench::new();
    bench.file("a", CONDITIONS);
    let done = bench.call(&["convert", "--to", "c", "-o", "a.c", "a"]);
    assert_eq!(done.status, 0, "{}", done.err);
    let cc = std::process::Command::new("cc")
        .args(["-Wall", "-Werror", "-c", "-o", "a.o", "a.c"])
        .current_dir(bench.path("."))
        .output();
    match cc {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(e) => println!("no compiler: {e}"),
    }
}

#[test]
fn arguments_become_conditions_and_are_enforced() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let run = |args: &[&str]| {
        let how = [
            "run", "--via", "notify", "--format", "json", "--force", "-o", "l",
        ];
        bench.call(&[&how, args, &["--", "ls", "/"]].concat())
    };
    let plain = run(&[]);
    assert_eq!(plain.status, 0, "{}", plain.err);
    assert!(!plain.err.contains("conditions"), "{}", plain.err);
    assert!(!bench.call(&["show", "l"]).out.contains(" when "));
    let learnt = run(&["--args", "--args=openat:2"]);
    assert_eq!(learnt.status, 0, "{}", learnt.err);
    assert!(
        learnt.err.contains("calls have conditions: "),
        "{}",
        learnt.err
    );
    let shown = bench.call(&["show", "l"]).out;
    assert!(
        shown.contains("  when prot & PROT_WRITE == 0 || prot & PROT_EXEC == 0"),
        "{shown}"
    );
    assert!(shown.contains("when arg2 == 0x"), "{shown}");
    let enforce = |list: &str, command: &[&str]| {
        let how = ["enforce", "--via", "notify", list, "--"];
        bench.call(&[&how, command].concat())
    };
    let survived = enforce("l", &["ls", "/"]);
    assert_eq!(survived.status, 0, "{}", survived.err);
    // Another value of the same argument: a file that is created.
    let list = fs::read_to_string(bench.path("l")).unwrap();
    bench.file(
        "less",
        &list.replace(
            "\"op\": \"eq\",\n            \"value\": 591872",
            "\"op\": \"eq\",\n            \"value\": 3",
        ),
    );
    let killed = enforce("less", &["ls", "/"]);
    assert_eq!(killed.status, 123, "{}", killed.err);
    assert!(
        killed.err.contains("killed for: openat (0x90800, by ls)"),
        "{}",
        killed.err
    );
    // The conditions go to other formats, and come back.
    for format in ["oci", "seccompiler"] {
        let there = bench.call(&["convert", "--to", format, "l"]);
        assert_eq!(there.err, "", "{format}");
        let diff = bench.feed(&["diff", "l", "-"], &there.out);
        assert_eq!(diff.out, "", "{format}");
    }
    let twice = bench.call(&["run", "--via", "notify", "--args=read", "--", "true"]);
    assert!(
        twice.err.contains("no argument of read is known"),
        "{}",
        twice.err
    );
}

#[test]
fn bad_profiles_have_their_place() {
    let bench = Bench::new();
    for (text, place) in [
        ("read\nnonsense\n", "p:2:1: "),
        ("{\n \"defaultAction\": \"SCMP_ACT_KILL\",,\n}", "p:2:35: "),
        (
            "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[\n{\"names\":[\"nonsense\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
            "p:2:11: ",
        ),
        ("[Service]\nSystemCallFilter=read nonsense\n", "p:2:23: "),
        ("read: 1\nprctl: arg0 = 3\n", "p:2:8: "),
    ] {
        bench.file("p", text);
        let done = bench.call(&["show", "p"]);
        assert_eq!(done.status, 125);
        assert!(done.err.contains(place), "{place} {}", done.err);
    }
    fs::write(bench.path("p"), b"\xff\xfe").unwrap();
    assert_eq!(bench.call(&["show", "p"]).status, 125);
    bench.file("p", "#include <seccomp.h>\n");
    assert!(bench.call(&["show", "p"]).err.contains("written only"));
    let endless = bench.call(&["show", "/dev/zero"]);
    assert_eq!(endless.status, 125);
    assert!(endless.err.contains("larger than"), "{}", endless.err);
}

#[test]
fn merge_and_diff_agree() {
    let bench = Bench::new();
    bench.file("a", "read\nwrite\n");
    bench.file("b", "i386:read\nwrite\n462\n");
    let merged = bench.call(&["merge", "a", "b", "-o", "c"]);
    assert_eq!(merged.status, 0, "{}", merged.err);
    assert_eq!(
        fs::read_to_string(bench.path("c")).unwrap(),
        "462\ni386:read\nread\nwrite\n"
    );
    let diff = bench.call(&["diff", "--no-groups", "a", "c"]);
    assert_eq!((diff.status, &*diff.out), (1, "+i386:read\n+462\n"));
    assert_eq!(bench.call(&["diff", "c", "c"]).status, 0);
    let back = bench.call(&["diff", "c", "a"]).out;
    assert_eq!(back, "# @basic-io\n-i386:read\n# @other\n-462\n");
}

/// The one that is named first may be the one that refuses nothing.
#[test]
fn default_actions_that_differ_are_not_merged() {
    let bench = Bench::new();
    bench.file("list", "read\n");
    for (name, action) in [("dev", "log"), ("prod", "kill")] {
        let made = bench.call(&[
            "convert",
            "--to",
            "json",
            "--default-action",
            action,
            "-o",
            name,
            "list",
        ]);
        assert_eq!(made.status, 0, "{}", made.err);
    }
    let merged = bench.call(&["merge", "--to", "json", "list", "dev", "prod"]);
    assert_eq!((merged.status, &*merged.out), (125, ""));
    let both = "the default action of dev is log, of prod it is kill";
    assert!(merged.err.contains(both), "{}", merged.err);
    for profiles in [
        &["list", "prod", "prod"][..],
        &["--default-action", "kill", "dev", "prod"],
    ] {
        let merged = bench.call(&[&["merge", "--to", "json"], profiles].concat());
        assert!(
            merged.out.contains("\"action\": \"kill\""),
            "{}",
            merged.err
        );
    }
}

#[test]
fn lists_of_two_machines_become_one_profile() {
    let bench = Bench::new();
    bench.file("x86.list", "access\narch_prctl\nfstat\nread\nwrite\n");
    bench.file("arm.list", "faccessat\nfstat\nread\nwrite\n");
    for (arch, name) in [("x86-64", "x86"), ("arm64", "arm")] {
        let list = format!("{name}.list");
        let done = bench.call(&[
            "convert",
            "--from-arch",
            arch,
            "--format",
            "json",
            "-o",
            name,
            &list,
        ]);
        assert_eq!(done.status, 0, "{}", done.err);
    }
    let oci = bench.call(&["merge", "x86", "arm", "--format", "oci"]);
    assert!(oci.err.contains("runc and containerd"), "{}", oci.err);
    let value: serde_json::Value = serde_json::from_str(&oci.out).unwrap();
    let archs = ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"];
    assert_eq!(value["architectures"], serde_json::json!(archs));
    // x86-64 has a faccessat(2), which was not seen there.
    let rule = &value["syscalls"][1];
    assert_eq!(rule["names"], serde_json::json!(["faccessat"]));
    assert_eq!(rule["includes"]["arches"][0], "arm64");
    let both = bench.call(&["merge", "x86", "arm", "--format", "plain"]);
    bench.file("both", &both.out);
    assert_eq!(bench.feed(&["diff", "both", "-"], &oci.out).out, "");
}

/// libseccomp would refuse the whole of it, and runc not start.
#[test]
fn machines_of_both_byte_orders_have_a_profile_each() {
    let bench = Bench::new();
    bench.file("both", "x86-64:read\narm64:read\ns390x:read\n");
    for format in ["oci", "c"] {
        let both = bench.call(&["convert", "--to", format, "both"]);
        assert_eq!((both.status, &*both.out), (125, ""), "{format}");
        let why = "s390x is of another than the rest; write one for each with --only-arch";
        assert!(both.err.contains(why), "{format}: {}", both.err);
        let one = bench.call(&["convert", "--only-arch", "s390x", "--to", format, "both"]);
        assert!(
            one.status == 0 && one.out.contains("SCMP_ARCH_S390X"),
            "{}",
            one.err
        );
    }
    // Who loads no filter has no byte order.
    assert_eq!(
        bench.call(&["convert", "--to", "systemd", "both"]).status,
        0
    );
}

/// By a systemd-analyze of our own, as this machine may have none or another.
#[test]
fn what_systemd_allows_beside_a_list_is_read() {
    let bench = Bench::new();
    bench.file("unit", "[Service]\nSystemCallFilter=@basic-io socket\n");
    let call =
        |path: &str, args: &[&str]| done(bench.command(args).env("PATH", path).output().unwrap());
    let systemd = data("systemd");
    let lint = call(&systemd, &["lint", "unit"]);
    assert!(!lint.out.contains("execve"), "{}", lint.out);
    let oci = call(&systemd, &["convert", "--to", "oci", "unit"]);
    for name in ["execve", "exit_group", "read", "socket"] {
        assert!(
            oci.out.contains(&format!("\"{name}\"")),
            "{name}: {}",
            oci.out
        );
    }
    let again = call(&systemd, &["convert", "--to", "systemd", "unit"]);
    assert!(
        again.out.ends_with("\nSystemCallFilter=@basic-io socket\n"),
        "{}",
        again.out
    );
    // Where nobody can be asked.
    bench.file("names", "[Service]\nSystemCallFilter=read\n");
    let alone = call("nowhere", &["convert", "names"]);
    assert_eq!((alone.status, &*alone.out), (0, "read\n"));
    assert!(
        alone.err.contains("systemd-analyze cannot be asked"),
        "{}",
        alone.err
    );
}

#[test]
fn the_most_dangerous_comes_first() {
    let bench = Bench::new();
    bench.file("a", "stat\nread\n");
    bench.file("b", "newfstatat\nread\nsocket\nmount\n");
    let diff = bench.call(&["diff", "a", "b"]).out;
    let lines = "# @mount\n+mount\n# @network-io\n+socket\n# @file-system\n+newfstatat  in place of stat\n-stat\n";
    assert_eq!(diff, lines);
    let shown = bench.call(&["show", "b"]).out;
    let names: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(names, ["CALL", "mount", "socket", "newfstatat", "read"]);
}

#[test]
fn a_profile_knows_what_it_rests_on() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let run = |list: &str| {
        let done = bench.call(&[
            "run", "--via", "notify", "--passes", "2", "--args", "--format", "json", "-o", list,
            "--", "ls", "/",
        ]);
        assert_eq!(done.status, 0, "{}", done.err);
    };
    run("a");
    run("b");
    let text = fs::read_to_string(bench.path("a")).unwrap();
    for key in [
        "\"program\": \"ls\"",
        "\"kernel\": ",
        "\"machine\": ",
        "\"tool\": ",
        "\"via\": \"notify\"",
    ] {
        assert!(text.contains(key), "{key}");
    }
    let why = bench.call(&["explain", "getdents64", "a"]);
    assert_eq!(why.status, 0, "{}", why.err);
    for part in [
        "in 2 of 2 passes",
        "first by /",
        "thread \"ls\"",
        "from /",
        "with 0x",
    ] {
        assert!(why.out.contains(part), "{part}: {}", why.out);
    }
    let none = bench.call(&["explain", "ptrace", "a"]);
    assert_eq!(
        (none.status, none.out.lines().next()),
        (1, Some("ptrace (@debug) is not allowed"))
    );
    // The same program in the same place adds up.
    let sum = bench.call(&["merge", "--format", "json", "a", "b"]).out;
    let shown = bench.feed(&["show", "-"], &sum);
    assert!(
        shown.err.contains(": 2 runs, 4 passes, 0 of them lost"),
        "{}",
        shown.err
    );
    assert!(shown.out.contains("  4 of 4 passes  ls"), "{}", shown.out);
}

#[test]
fn a_person_takes_or_refuses_what_is_new() {
    let bench = Bench::new();
    bench.file("old", "read\n");
    bench.file("new", "read\nwrite\nptrace\nsocket\n");
    let review = |answers: &str| {
        bench.feed(
            &[
                "review", "--ask", "--base", "old", "--format", "plain", "new",
            ],
            answers,
        )
    };
    let done = review("maybe\nn\ny\ny\n");
    assert_eq!(
        (done.status, &*done.out),
        (0, "read\nsocket\nwrite\n"),
        "{}",
        done.err
    );
    assert!(
        done.err
            .contains("ptrace [danger]: new, with any arguments"),
        "{}",
        done.err
    );
    assert!(
        done.err.contains("2 taken, refused: ptrace"),
        "{}",
        done.err
    );
    assert_eq!(review("d\n").out, "read\n");
    assert_eq!(review("a\n").out, "ptrace\nread\nsocket\nwrite\n");
    // Who leaves has decided nothing.
    for answers in ["y\nq\n", "y\n"] {
        let done = review(answers);
        assert_eq!((done.status, &*done.out), (125, ""), "{}", done.err);
    }
}

#[test]
fn a_review_is_a_report_without_a_terminal() {
    let bench = Bench::new();
    bench.file("old", "read\n");
    bench.file("new", "read\nwrite\nptrace\n");
    let text = bench.call(&["review", "--base", "old", "new"]);
    assert_eq!(text.status, 0, "{}", text.err);
    assert!(
        text.out
            .starts_with("new: 2 calls to review\n\nptrace [danger]: "),
        "{}",
        text.out
    );
    let json = bench
        .call(&["review", "--base", "old", "--report", "json", "new"])
        .out;
    assert_eq!(json.matches("\"call\"").count(), 2);
    let page = bench.call(&["review", "--report", "html", "-o", "page.html", "new"]);
    assert_eq!((page.status, &*page.out), (0, ""), "{}", page.err);
    let page = fs::read_to_string(bench.path("page.html")).unwrap();
    assert_eq!(page.matches("<details").count(), 3);
    assert_eq!(
        page.matches("<details").count(),
        page.matches("</details>").count()
    );
    // A profile of this size is never a page of one line, nor a page that loads anything.
    assert!(
        page.starts_with("<!DOCTYPE html>") && !page.contains("://"),
        "{page}"
    );
}

#[test]
fn what_is_answered_with_enosys_is_kept() {
    let bench = Bench::new();
    let text = "{\"format\":\"seccomp-learn\",\"version\":1,\"action\":\"errno\",\"absent\":[\"x86-64:clone3\"],\
                \"calls\":[{\"arch\":\"x86-64\",\"name\":\"clone\"},{\"arch\":\"x86-64\",\"name\":\"execve\"}]}";
    bench.file("a", text);
    for (format, part) in [
        ("json", "x86-64:clone3"),
        ("oci", "\"errnoRet\": 38"),
        ("systemd", "clone3:ENOSYS"),
        ("minijail", "clone3: return 38"),
        ("c", "SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)"),
    ] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        assert_eq!(there.status, 0, "{}", there.err);
        assert!(there.out.contains(part), "{format}: {}", there.out);
        if format != "c" {
            let shown = bench.feed(&["show", "-"], &there.out);
            assert!(
                shown.err.contains("answered with ENOSYS: clone3"),
                "{format}: {}",
                shown.err
            );
        }
    }
    for format in ["seccompiler", "plain"] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        assert!(there.err.contains("ENOSYS"), "{format}: {}", there.err);
    }
    // It is what the C library needs, so lint has nothing to say.
    assert!(!bench.call(&["lint", "a"]).out.contains("[clone3]"));
    bench.file("b", &text.replace("x86-64:clone3", "x86-64:membarrier"));
    assert!(bench.call(&["lint", "b"]).out.contains("[clone3]"));
    // Allowed is allowed.
    bench.file("c", &text.replace("\"execve\"", "\"clone3\""));
    let sum = bench.call(&["merge", "--format", "json", "a", "c"]);
    assert!(!sum.out.contains("absent"), "{}", sum.out);
    let newer = bench.call(&["convert", "--newer-absent", "--format", "json", "a"]);
    assert!(
        newer.out.contains("\"absent_from\": {\n    \"x86-64\": "),
        "{}",
        newer.out
    );
    let oci = bench.call(&["convert", "--newer-absent", "--format", "oci", "a"]);
    assert!(oci.err.contains("runc does so by itself"), "{}", oci.err);
}

/// Where it was, and not where another machine's program made the call.
#[test]
fn what_is_answered_with_enosys_is_kept_for_each_machine() {
    let bench = Bench::new();
    let profile = |absent: &str, calls: &str| {
        format!("{{\"format\":\"seccomp-learn\",\"version\":1,\"absent\":[{absent}],\"calls\":[{calls}]}}")
    };
    let call = |arch: &str, name: &str| format!("{{\"arch\":\"{arch}\",\"name\":\"{name}\"}}");
    bench.file(
        "x86",
        &profile(
            "\"x86-64:clone3\",\"x86-64:statx\"",
            &call("x86-64", "clone"),
        ),
    );
    bench.file("arm", &profile("\"arm64:statx\"", &call("arm64", "clone3")));
    let oci = bench.call(&["merge", "--to", "oci", "x86", "arm"]);
    assert!(!oci.err.contains("ENOSYS"), "{}", oci.err);
    let value: serde_json::Value = serde_json::from_str(&oci.out).unwrap();
    let rules = value["syscalls"].as_array().unwrap();
    let refusing: Vec<_> = rules.iter().filter(|rule| rule["errnoRet"] == 38).collect();
    assert_eq!(refusing.len(), 2, "{}", oci.out);
    assert_eq!(refusing[0]["names"], serde_json::json!(["statx"]));
    assert!(refusing[0]["includes"].is_null());
    assert_eq!(refusing[1]["names"], serde_json::json!(["clone3"]));
    assert_eq!(refusing[1]["includes"]["arches"][0], "amd64");
    let shown = bench.feed(&["show", "-"], &oci.out).err;
    let all = "answered with ENOSYS: statx clone3 arm64:statx\n";
    assert!(shown.contains(all), "{shown}");
    // What cannot be kept is said.
    let lost = "clone3 would be answered with ENOSYS on one, and is allowed on all";
    let systemd = bench.call(&["merge", "--to", "systemd", "x86", "arm"]);
    assert!(systemd.err.contains(lost), "{}", systemd.err);
    assert!(systemd.out.contains("statx:ENOSYS"), "{}", systemd.out);
    bench.file("i386", &profile("", &call("i386", "clone3")));
    let oci = bench.call(&["merge", "--to", "oci", "x86", "i386"]);
    assert!(oci.err.contains(lost), "{}", oci.err);
}

#[test]
fn what_a_program_could_call_is_read() {
    let bench = Bench::new();
    if !cfg!(target_arch = "x86_64") || !std::path::Path::new("/bin/ls").exists() {
        return;
    }
    let all = bench.call(&["static", "/bin/ls"]);
    assert_eq!(all.status, 0, "{}", all.err);
    assert!(
        all.out.lines().any(|line| line.starts_with("getdents64 ")),
        "{}",
        all.out
    );
    assert!(
        all.err.contains(" reachable") && all.err.contains(" files read"),
        "{}",
        all.err
    );
    bench.file("p", "getdents64\nwrite\nmount\n");
    let more = bench.call(&["static", "--against", "p", "/bin/ls"]);
    assert!(!more.out.contains("getdents64 "), "{}", more.out);
    assert!(more.err.contains("3 seen, "), "{}", more.err);
    assert!(
        more.err.contains("not read in the files: mount"),
        "{}",
        more.err
    );
    let none = bench.call(&["static", "/etc/passwd"]);
    assert_ne!(none.status, 0);
}

/// Each file of tests/data/lint is a profile, with what is wrong with it beside.
#[test]
fn wrong_profiles_are_found() {
    let bench = Bench::new();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lint");
    let mut seen = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        if name.ends_with(".expected") {
            continue;
        }
        let expected = fs::read_to_string(format!("{name}.expected")).unwrap();
        let done = bench.call(&["lint", "--caps", "none", name]);
        assert_eq!(done.out, expected, "{name}");
        let wrong = expected.contains("danger: ") || expected.contains("warning: ");
        assert_eq!(done.status, i32::from(wrong), "{name}: {}", done.err);
        let json = bench.call(&["lint", "--format", "json", name]).out;
        // Which has one for each architecture.
        assert!(
            json.matches("\"severity\"").count() >= expected.lines().count(),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let bench = Bench::new();
    bench.file("a", "read\n");
    bench.file("b", "write\n");
    let refused = bench.call(&["convert", "a", "-o", "b"]);
    assert_eq!(refused.status, 125);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(fs::read_to_string(bench.path("b")).unwrap(), "write\n");
    assert_eq!(
        bench.call(&["convert", "a", "--force", "-o", "b"]).status,
        0
    );
    assert_eq!(fs::read_to_string(bench.path("b")).unwrap(), "read\n");
    // Known before the command runs, not after.
    let early = bench.call(&["run", "-o", "b", "--", "touch", "ran"]);
    assert_eq!(early.status, 125);
    assert!(!bench.path("ran").exists());
}

#[test]
fn a_container_can_start() {
    let bench = Bench::new();
    bench.file("a", "write\n");
    let done = bench.call(&["convert", "--to", "oci", "--for", "oci", "a"]);
    for name in ["execve", "capset", "setgroups", "write"] {
        assert!(done.out.contains(&format!("\"{name}\"")), "{name}");
    }
}

/// Whatever machine it is written on.
#[test]
fn a_container_can_start_on_each_machine_of_its_profile() {
    let bench = Bench::new();
    bench.file("all", "x86-64:write\narm64:write\n");
    let written = |args: &[&str]| {
        let all = [&["convert", "--to", "oci", "--for", "oci"], args, &["all"]];
        let done = bench.call(&all.concat());
        assert_eq!(done.status, 0, "{}", done.err);
        serde_json::from_str::<serde_json::Value>(&done.out).unwrap()
    };
    let both = written(&[]);
    let rules = both["syscalls"].as_array().unwrap();
    let holds = |rule: &serde_json::Value, name| {
        rule["names"]
            .as_array()
            .unwrap()
            .iter()
            .any(|other| other == name)
    };
    for name in ["execve", "capset", "setgroups", "epoll_pwait"] {
        let mut having = rules.iter().filter(|rule| holds(rule, name));
        let rule = having.next().unwrap_or_else(|| panic!("{name}"));
        assert!(
            rule["includes"].is_null() && having.next().is_none(),
            "{name}"
        );
    }
    for (arch, scmp) in [
        ("x86-64", "SCMP_ARCH_X86_64"),
        ("arm64", "SCMP_ARCH_AARCH64"),
    ] {
        let one = written(&["--only-arch", arch]);
        assert_eq!(one["architectures"], serde_json::json!([scmp]));
        assert!(holds(&one["syscalls"][0], "capset"), "{arch}");
    }
}

#[test]
fn the_c_source_compiles() {
    let bench = Bench::new();
    bench.file("a", "read\nexit_group\n4000\ni386:socketcall\n# x\n");
    let done = bench.call(&["convert", "--to", "c", "-o", "p.c", "a"]);
    assert_eq!(done.status, 0, "{}", done.err);
    let compiler = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-c", "p.c"])
        .current_dir(bench.0.path())
        .output();
    match compiler {
        Err(e) => eprintln!("SKIP: no C compiler: {e}"),
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

#[test]
fn names_that_a_format_cannot_hold_are_said() {
    let bench = Bench::new();
    bench.file("a", "read\n4000\n");
    let done = bench.call(&["convert", "--to", "minijail", "a"]);
    assert_eq!(done.status, 0);
    assert!(done.err.contains("4000 is left out"), "{}", done.err);
    bench.file("b", "read\ni386:read\n");
    let done = bench.call(&["convert", "--to", "minijail", "b"]);
    assert_eq!(done.status, 125);
    assert!(done.err.contains("--arch"), "{}", done.err);
    let done = bench.call(&["convert", "--to", "minijail", "--arch", "i386", "b"]);
    assert_eq!(done.out, "# i386\nread: 1\n");
}

#[test]
fn a_listener_learns_and_enforces() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let run = |args: &[&str]| bench.call(&[&["run", "--via", "notify"], args].concat());
    let learnt = run(&["-o", "list", "--", "ls", "/"]);
    assert_eq!(learnt.status, 0, "{}", learnt.err);
    assert!(learnt.err.contains("complete"), "{}", learnt.err);
    let list = fs::read_to_string(bench.path("list")).unwrap();
    assert!(list.contains("getdents64\n"), "{list}");

    let enforce = |args: &[&str]| bench.call(&[&["enforce", "--via", "notify"], args].concat());
    let allowed = enforce(&["list", "--", "ls", "/"]);
    assert_eq!(allowed.status, 0, "{}", allowed.err);
    assert!(
        allowed.err.contains("nothing was refused"),
        "{}",
        allowed.err
    );
    bench.file("less", &list.replace("getdents64\n", ""));
    let killed = enforce(&["less", "--", "ls", "/"]);
    assert_eq!(killed.status, 123, "{}", killed.err);
    assert!(killed.err.contains("killed for: getdents64 (by ls)"));
    assert!(killed.err.contains("exit status is 137"));
    let failed = enforce(&["--action", "errno:13", "less", "--", "ls", "/"]);
    assert_eq!(failed.status, 123, "{}", failed.err);
    assert!(failed.err.contains("Permission denied"), "{}", failed.err);
    assert!(failed.err.contains("refused: getdents64 (by ls)"));
    assert!(failed.err.contains("exit status is 2"), "{}", failed.err);
    let logged = enforce(&["--action", "log", "less", "--", "ls", "/"]);
    assert_eq!(logged.status, 123, "{}", logged.err);
    assert!(logged
        .err
        .contains("let through, though not allowed: getdents64"));
    // Whatever the command makes of it.
    let hidden = enforce(&["less", "--", "sh", "-c", "ls /; true"]);
    assert_eq!(hidden.status, 123, "{}", hidden.err);

    // The command must not get ahead of its listener, fast as it may start.
    for _ in 0..20 {
        let killed = enforce(&["less", "--", "ls", "/"]);
        assert_eq!(killed.status, 123, "{}", killed.err);
    }

    let again = run(&["--base", "list", "--passes", "3", "--", "ls", "/"]);
    assert!(again.err.contains(" 0 notifications"), "{}", again.err);
    assert_eq!(again.out, list);
}

#[test]
fn a_listener_leaves_the_command_alone() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let run = |args: &[&str]| {
        bench.feed(
            &[
                &["run", "-q", "--via", "notify", "--force", "-o", "l", "--"],
                args,
            ]
            .concat(),
            "in",
        )
    };
    let done = run(&["sh", "-c", "cat; echo err >&2; exit 7"]);
    assert_eq!((done.status, &*done.out, &*done.err), (7, "in", "err\n"));
    assert_eq!(run(&["sh", "-c", "kill -KILL $$"]).status, 137);
    assert_eq!(run(&["./no-such-program"]).status, 127);
    assert_eq!(run(&["no-such-program"]).status, 127);
    bench.file("text", "");
    assert_eq!(run(&["./text"]).status, 126);
    assert_eq!(run(&["/"]).status, 126);
    // A daemon that it leaves behind belongs to it.
    let done = run(&["sh", "-c", "(sleep 0.2; echo late) & exit 3"]);
    assert_eq!((done.status, &*done.out), (3, "late\n"));
}

#[test]
fn an_interrupted_run_writes_what_it_has() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let mut child = bench
        .command(&["run", "--via", "notify", "-o", "list", "--"])
        .args(["sh", "-c", "echo ready; exec sleep 600"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    let done = done(child.wait_with_output().unwrap());
    assert_eq!(done.status, 124, "{}", done.err);
    let list = fs::read_to_string(bench.path("list")).unwrap();
    assert!(list.starts_with("# incomplete: interrupted by SIGTERM\n"));
    assert!(list.contains("execve\n"));
}

#[test]
fn a_profile_that_starts_nothing_is_said() {
    let bench = Bench::new();
    bench.file("a", "read\n");
    let done = bench.call(&["enforce", "a", "--", "true"]);
    assert_eq!(done.status, 125);
    assert!(done.err.contains("execve"), "{}", done.err);
}

#[test]
fn the_man_page_and_completions_are_made() {
    let bench = Bench::new();
    let man = bench.call(&["man"]);
    assert_eq!(man.status, 0);
    assert!(man.out.contains(".TH seccomp-learn"), "{}", man.out);
    assert!(man.out.contains(".SH \"COMMAND: ENFORCE\""));
    for shell in ["bash", "zsh", "fish"] {
        assert!(bench.call(&["completions", shell]).out.contains("from-log"));
    }
    assert_eq!(bench.call(&["nonsense"]).status, 125);
    assert_eq!(bench.call(&["--help"]).status, 0);
}

#[test]
fn a_log_of_any_length_takes_bounded_memory() {
    let bench = Bench::new();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 65536 && exec \"$0\" from-log"])
        .arg(env!("CARGO_BIN_EXE_seccomp-learn"))
        .current_dir(bench.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut block = String::new();
    for i in 0..5000 {
        block.push_str(&format!(
            "type=SECCOMP msg=audit(1.2:{i}): ses=1 pid={i} comm=\"p{i}\" exe=\"/bin/p{i}\" \
             arch=c000003e syscall={i} code=0x7ffc0000\n"
        ));
    }
    let mut input = child.stdin.take().unwrap();
    let mut size = 0;
    while size < 128 << 20 {
        input.write_all(block.as_bytes()).unwrap();
        size += block.len();
    }
    drop(input);
    let done = done(child.wait_with_output().unwrap());
    assert_eq!(done.status, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), 5000);
}

#[test]
fn a_log_adds_to_a_profile() {
    let bench = Bench::new();
    let record = "type=SECCOMP msg=audit(1.2:3): ses=1 pid=1 comm=\"a\" exe=\"/bin/a\" \
                  arch=c000003e syscall=257 code=0x7ffc0000\n";
    let log = format!("{record}{}", record.replace("/bin/a", "/bin/b"));
    bench.file("known.txt", "read\nwrite\n");
    let done = bench.feed(&["from-log", "--exact", "--base", "known.txt"], &log);
    assert_eq!(done.out, "openat\nread\nwrite\n");
    assert!(
        done.err.contains("1 distinct calls (1 of them new)"),
        "{}",
        done.err
    );
    assert!(done.err.contains("         1  /bin/b\n"), "{}", done.err);
}

#[test]
fn what_is_no_text_has_its_place() {
    let bench = Bench::new();
    fs::write(bench.path("profile"), b"read\nwr\xffite\n").unwrap();
    let done = bench.call(&["show", "profile"]);
    assert_eq!(done.status, 125);
    assert!(done.err.contains("profile:2:3: "), "{}", done.err);
}

#[test]
fn a_list_of_names_is_not_made_of_numbers() {
    let bench = Bench::new();
    for format in ["oci", "systemd", "minijail", "seccompiler"] {
        let done = bench.feed(&["convert", "--to", format, "-"], "4000\n");
        assert_eq!((done.status, &*done.out), (125, ""), "{format}");
    }
}

/// Starts a run, and waits until the command says that it is ready.
///
/// The command ignores no signal even if the tests do, as whatever a shell runs in the background
/// does SIGINT, and below nohup(1) SIGHUP: no shell can trap one that was ignored when it began.
fn start(bench: &Bench, args: &[&str], script: &str) -> std::process::Child {
    let mut child = bench
        .command(&[&["run", "--via", "notify", "--force", "-o", "list"], args].concat())
        .args(["--", "env", "--default-signal", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    child
}

fn signal(child: &std::process::Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Sends the signal at each line of what it says that has `text`, and returns all that it says.
fn signal_at(child: &mut std::process::Child, text: &str, name: &str) -> String {
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut all = String::new();
    for line in said.lines() {
        let line = line.unwrap();
        if line.contains(text) {
            signal(child, name);
        }
        all += &line;
        all.push('\n');
    }
    all
}

#[test]
fn a_command_that_ends_in_order_when_asked_is_complete() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    for name in ["-TERM", "-INT"] {
        let script = "trap 'exit 0' TERM INT; echo ready; while :; do sleep 0.1; done";
        let child = start(&bench, &[], script);
        signal(&child, name);
        let done = done(child.wait_with_output().unwrap());
        assert_eq!(done.status, 0, "{name} {}", done.err);
        assert!(done.err.contains(" complete;"), "{}", done.err);
        assert!(done.err.contains("was passed on"), "{}", done.err);
    }
}

#[test]
fn other_signals_reach_the_command_and_end_nothing() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let script = "n=0; trap 'n=$((n + 1))' USR1 HUP; echo ready; \
                  until [ $n = 2 ]; do sleep 0.1; done; echo got";
    let child = start(&bench, &[], script);
    signal(&child, "-USR1");
    signal(&child, "-HUP");
    let done = done(child.wait_with_output().unwrap());
    assert_eq!((done.status, &*done.out), (0, "got\n"), "{}", done.err);
}

#[test]
fn a_second_signal_ends_the_run() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // The first is not heard.
    let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let mut child = start(&bench, &[], script);
    signal(&child, "-TERM");
    let said = signal_at(&mut child, "was passed on", "-TERM");
    let last = said.lines().last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(124), "{last}");
    assert!(last.contains("interrupted by"), "{last}");
}

/// A pipe that nothing can be written to until it is read.
fn full_pipe() -> (fs::File, fs::File) {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
    let mut writer = fs::File::from(writer);
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (reader.into(), writer)
}

#[test]
fn a_signal_behind_the_end_costs_no_result() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    bench.file("list", "execve\n");
    let run = "run -q --via notify -- sh -c";
    let enforce = "enforce -q --via notify --action log list -- sh -c";
    for (args, code, result) in [
        (run, 0, "execve\n"),
        (enforce, 123, "let through, though not allowed: "),
    ] {
        let (mut reader, writer) = full_pipe();
        let args: Vec<&str> = args.split(' ').collect();
        let mut command = bench.command(&[&args[..], &["echo $$"]].concat());
        // The result goes where it has to wait; what the command says does not.
        let (out, err) = match code {
            0 => (writer.into(), Stdio::piped()),
            _ => (Stdio::piped(), writer.into()),
        };
        let mut child = command.stdout(out).stderr(err).spawn().unwrap();
        drop(command);
        let said: Box<dyn Read> = match (child.stdout.take(), child.stderr.take()) {
            (Some(out), _) => Box::new(out),
            (None, err) => Box::new(err.unwrap()),
        };
        let mut pid = String::new();
        BufReader::new(said).read_line(&mut pid).unwrap();
        // Nobody waits for it any more: no signal is read from now on.
        while Path::new("/proc").join(pid.trim()).exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        signal(&child, "-TERM");
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let text = text.trim_start();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
        assert!(text.contains(result), "{text}");
    }
}

#[test]
fn a_run_can_have_its_time() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let run = |time| {
        let run = ["run", "--via", "notify", "--force", "-o", "l", "--duration"];
        bench.call(&[&run[..], &[time, "--", "sleep", "600"]].concat())
    };
    let done = run("0.2");
    assert_eq!(done.status, 143, "{}", done.err);
    assert!(done.err.contains(" complete;"), "{}", done.err);
    assert!(done.err.contains("the time is up"), "{}", done.err);
    assert_eq!(run("x").status, 125);
}

#[test]
fn standard_output_is_for_the_list_alone() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // What is left behind writes after the command has ended.
    let script = "echo out; echo err >&2; (sleep 0.3; echo late) &";
    let done = bench.call(&[
        "run", "--via", "notify", "--exact", "--", "sh", "-c", script,
    ]);
    assert_eq!(done.status, 0, "{}", done.err);
    assert!(
        done.out.lines().all(|line| !line.contains(' ')),
        "{}",
        done.out
    );
    assert!(
        done.out.contains("execve\n") && !done.out.contains("out"),
        "{}",
        done.out
    );
    for text in ["out\n", "err\n", "late\n"] {
        assert!(done.err.contains(text), "{}", done.err);
    }
}

#[test]
fn what_waits_says_so() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // What is left is there until the line has been said.
    let mut child = start(&bench, &[], "echo ready; sleep 600 & exit 0");
    let said = signal_at(&mut child, "left processes", "-TERM");
    assert!(said.contains("left processes"), "{said}");
    // There is no command any more that a second one could kill.
    assert!(
        said.contains("a second signal ends the run, and "),
        "{said}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");

    let quiet = ["run", "-q", "--via", "notify", "--force", "-o", "l", "--"];
    let done = bench.call(&[&quiet[..], &["sh", "-c", "sleep 3 & exit 0"]].concat());
    assert_eq!(done.err, "");
}

#[test]
fn a_listener_needs_no_pidfd() {
    use seccomp_learn::bpf::{Filter, Install, RET_ERRNO};
    use seccomp_learn::condition::When;
    use seccomp_learn::syscalls::{Arch, Call};

    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // As in a container that does not let processes look into others.
    let refused = Arch::NATIVE.call("pidfd_getfd").unwrap().nr;
    let calls: Vec<Call> = (0..1000)
        .filter(|&nr| nr != refused)
        .map(|nr| Call {
            arch: Arch::NATIVE.audit(),
            nr,
        })
        .collect();
    let filter = Filter::new(
        calls.iter().map(|call| (call, &When::Always)),
        RET_ERRNO | libc::EPERM as u32,
    )
    .unwrap();
    let mut command = bench.command(&["run", "--via", "notify", "-o", "list", "--", "true"]);
    let how = Install {
        once: false,
        no_new_privs: true,
        log: false,
        listener: false,
    };
    // SAFETY: the closure makes system calls only.
    unsafe { command.pre_exec(move || filter.install(how).map(|_| ())) };
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            let done = done(child.wait_with_output().unwrap());
            assert_eq!(done.status, 0, "{}", done.err);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let _ = child.kill();
    panic!("it hangs");
}

#[test]
fn a_listener_that_cannot_be_had_is_said() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    let tool = env!("CARGO_BIN_EXE_seccomp-learn");
    let within = ["run", "--via", "notify", "-o", "l", "--"];
    let done = bench.call(&[&within[..], &[tool, "run", "--via", "notify", "--", "true"]].concat());
    assert_eq!(done.status, 125, "{}", done.err);
    assert!(done.err.contains("is there already"), "{}", done.err);
}

#[test]
fn a_program_name_cannot_write_on_the_terminal() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    fs::copy("/bin/ls", bench.path("\u{1b}[31mred")).unwrap();
    bench.file("less", "execve\n");
    let done = bench.call(&[
        "enforce",
        "--via",
        "notify",
        "less",
        "--",
        "./\u{1b}[31mred",
    ]);
    assert_eq!(done.status, 123, "{}", done.err);
    assert!(done.err.contains("by ?[31mred"), "{}", done.err);
    assert!(!done.err.contains('\u{1b}'), "{}", done.err);
    let done = bench.call(&["run", "--", "./\u{1b}[31mmissing"]);
    assert!(!done.err.contains('\u{1b}'), "{}", done.err);
}

#[test]
fn passes_go_on_until_they_are_stable() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // One call more in the second pass than in the others.
    let script = "if [ -e two ]; then rm one; elif [ -e one ]; then mv one two; else : >one; fi";
    let run = |args: &[&str]| {
        for name in ["one", "two"] {
            let _ = fs::remove_file(bench.path(name));
        }
        let run = [
            "run", "--via", "notify", "--force", "--format", "json", "-o", "l",
        ];
        bench.call(&[&run, args, &["--", "sh", "-c", script]].concat())
    };
    let once = run(&[]);
    assert_eq!(once.status, 0, "{}", once.err);
    assert!(!once.err.contains("passes"), "{}", once.err);
    let stable = run(&["--stable", "2"]);
    assert!(
        stable.err.contains(" passes, the last new call in pass "),
        "{}",
        stable.err
    );
    assert!(
        stable.err.contains("seen in one pass only: "),
        "{}",
        stable.err
    );
    let list = fs::read_to_string(bench.path("l")).unwrap();
    assert!(list.contains("\"last_new\": "), "{list}");
    let short = run(&["--stable", "9", "--passes", "2"]);
    assert_eq!(short.status, 124, "{}", short.err);
    assert!(short.err.contains("not stable"), "{}", short.err);
}

#[test]
fn implied_calls_are_marked_and_can_be_left_out() {
    let bench = Bench::new();
    let record = "type=SECCOMP msg=audit(1.2:3): ses=1 pid=1 comm=\"a\" exe=\"/bin/a\" \
                  arch=c000003e syscall=202 code=0x7ffc0000\n";
    let done = bench.feed(&["from-log", "--format", "json", "-o", "l"], record);
    assert_eq!(done.status, 0, "{}", done.err);
    let plain = bench.call(&["convert", "l"]).out;
    for name in [
        "sched_yield",
        "restart_syscall",
        "rt_sigreturn",
        "exit_group",
    ] {
        let begin = format!("{name}  # implied: ");
        assert!(
            plain.lines().any(|line| line.starts_with(&begin)),
            "{plain}"
        );
    }
    assert_eq!(bench.call(&["convert", "--exact", "l"]).out, "futex\n");
    // The mark, with its reason, is kept by every format that is read back.
    for format in ["json", "oci", "systemd", "minijail", "seccompiler"] {
        let there = bench.call(&["convert", "--to", format, "l"]);
        let back = bench.feed(&["convert", "-"], &there.out);
        assert_eq!(listed(&back.out), plain, "{format}");
    }
    let shown = bench.call(&["show", "l"]);
    assert!(shown.out.contains("(implied: "), "{}", shown.out);
    assert!(shown.err.contains("of them implied"), "{}", shown.err);
}

#[test]
fn counts_do_not_overflow() {
    let bench = Bench::new();
    let text = "{\"format\":\"seccomp-learn\",\"version\":1,\"calls\":[\
                {\"arch\":\"x86-64\",\"name\":\"read\",\"count\":18446744073709551615}]}";
    bench.file("a", text);
    let done = bench.call(&["merge", "a", "a", "--format", "json"]);
    assert_eq!(done.status, 0, "{}", done.err);
    assert!(done.out.contains("18446744073709551615"), "{}", done.out);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let bench = Bench::new();
    bench.file("a", "read\n");
    for args in [&["convert", "a"][..], &["show", "a"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let errors = writer.try_clone().unwrap();
        let status = bench
            .command(args)
            .stdout(writer)
            .stderr(errors)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn what_is_no_profile_is_refused() {
    let bench = Bench::new();
    for text in [
        "{}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"sycalls\":[]}",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"ALLOW\"}]}",
        "{\"vmm\":{\"default_action\":\"trap\",\"filter_action\":\"allow\",\"filtr\":[]}}",
        "{\"format\":\"seccomp-learn\",\"version\":1,\"calls\":[],\"more\":1}",
    ] {
        let done = bench.feed(&["show", "-"], text);
        assert_eq!((done.status, &*done.out), (125, ""), "{text}");
    }
}

#[test]
fn an_architecture_without_calls_is_said() {
    let bench = Bench::new();
    bench.file("a", "read\n");
    let done = bench.call(&["convert", "--only-arch", "i386", "a"]);
    assert_eq!((done.status, &*done.out), (125, ""));
    assert!(done.err.contains("no call of i386"), "{}", done.err);
}

#[test]
fn a_comment_cannot_become_a_call() {
    let bench = Bench::new();
    let text = "{\"format\":\"seccomp-learn\",\"version\":1,\"incomplete\":\"a\\nptrace: 1\",\
                \"calls\":[{\"arch\":\"x86-64\",\"name\":\"read\",\"implied\":\"b\\nptrace: 1\"}]}";
    bench.file("a", text);
    for format in ["plain", "minijail", "systemd"] {
        let there = bench.call(&["convert", "--to", format, "a"]);
        assert!(!there.out.contains("\nptrace"), "{}", there.out);
    }
}

#[test]
fn a_profile_survives_another_day() {
    let bench = Bench::new();
    if !can_notify() {
        return;
    }
    // A sleep that is stopped and continued is restarted by the kernel. It lasts until it is ended:
    // of one that is gone kill complains, which is a write that nobody has learnt. So is that
    // a signal has ended it, which the shell says now and then, but not of SIGPIPE.
    let script = "sleep 600 & n=0; while [ $n -lt 25 ]; do \
                  sleep 0.1; kill -s $1 $!; kill -s $2 $!; n=$((n + 1)); done; \
                  kill -s PIPE $!; wait $!; exit 0";
    let day = |tool: &[&str], signals: [&str; 2]| {
        let command = ["--", "sh", "-c", script, "sh", signals[0], signals[1]];
        bench.call(&[tool, &["--via", "notify"], &command].concat())
    };
    let learnt = day(&["run", "--format", "json", "-o", "l"], ["0", "0"]);
    assert_eq!(learnt.status, 0, "{}", learnt.err);
    let enforced = |list: &str| {
        let command = ["--", "sh", "-c", script, "sh", "STOP", "CONT"];
        bench.call(&[&["enforce", "--via", "notify", list], &command[..]].concat())
    };
    let survived = enforced("l");
    assert_eq!(survived.status, 0, "{}", survived.err);
    bench.call(&["convert", "--exact", "-o", "exact", "l"]);
    let killed = enforced("exact");
    assert_eq!(killed.status, 123, "{}", killed.err);
    assert!(
        killed.err.contains("restart_syscall (by sleep)"),
        "{}",
        killed.err
    );
}
