// SPDX-License-Identifier: GPL-2.0-only

//! A review as text, as JSON, and as one page that needs nothing else.

use serde::Serialize;

use crate::arguments::describe;
use crate::evidence::Evidence;
use crate::lint::Finding;
use crate::profile::Profile;
use crate::review::{Change, Item};

/// What a report is about.
pub struct Report<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The profile after.
    pub profile: &'a Profile,
    /// What is new in it.
    pub items: &'a [Item],
    /// What is wrong with it as a whole.
    pub findings: &'a [Finding],
}

/// What is new of an item, in words.
pub fn change(item: &Item) -> String {
    let when = match item.when.is_always() {
        true => "with any arguments".to_owned(),
        false => format!("when {}", describe(item.call, &item.when)),
    };
    match &item.change {
        Change::Added => format!("new, {when}"),
        Change::Condition(before) => {
            format!("{when}; before: {}", describe(item.call, before))
        }
    }
}

fn evidence(of: &Evidence) -> String {
    let id = match &of.build_id {
        Some(id) => format!(", build-id {id}"),
        None => String::new(),
    };
    format!(
        "{}{id} on {}: {}, via {}, seccomp-learn {}",
        of.program,
        of.place(),
        of.extent(),
        of.via,
        of.tool
    )
}

/// Whether a character must not reach a terminal as it is: it controls it, or turns
/// the direction of a text.
fn misleads(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// A text without characters that mislead who reads it, which a name that a task or a
/// file has chosen may hold.
pub fn printable(text: &str) -> String {
    text.replace(misleads, "?")
}

/// As text.
pub fn text(report: &Report<'_>) -> String {
    let name = printable(report.name);
    let mut text = format!("{name}: {} calls to review\n", report.items.len());
    for of in &report.profile.evidence {
        text.push_str(&format!("learnt from {}\n", printable(&evidence(of))));
    }
    for item in report.items {
        let mark = item
            .severity()
            .map_or(String::new(), |severity| format!(" [{severity}]"));
        text.push_str(&format!("\n{}{mark}: {}\n", item.call, change(item)));
        for line in &item.why {
            text.push_str(&format!("    {}\n", printable(line)));
        }
    }
    let whole: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|f| f.call.is_none())
        .collect();
    if !whole.is_empty() {
        text.push_str("\nof the whole:\n");
    }
    for found in whole {
        text.push_str(&format!(
            "    {}: {}\n",
            found.severity,
            printable(&found.text)
        ));
    }
    text
}

#[derive(Serialize)]
struct JsonItem<'a> {
    call: String,
    group: &'a str,
    severity: Option<String>,
    change: String,
    implied: bool,
    why: &'a [String],
}

#[derive(Serialize)]
struct Json<'a> {
    profile: &'a str,
    evidence: Vec<String>,
    items: Vec<JsonItem<'a>>,
    findings: Vec<String>,
}

/// As JSON.
pub fn json(report: &Report<'_>) -> String {
    let items = report.items.iter().map(|item| JsonItem {
        call: item.call.to_string(),
        group: item.group,
        severity: item.severity().map(|severity| severity.to_string()),
        change: change(item),
        implied: item.implied,
        why: &item.why,
    });
    let whole = report.findings.iter().filter(|found| found.call.is_none());
    let json = Json {
        profile: report.name,
        evidence: report.profile.evidence.iter().map(evidence).collect(),
        items: items.collect(),
        findings: whole
            .map(|found| format!("{}: {}", found.severity, found.text))
            .collect(),
    };
    let mut text = String::new();
    // They can be in strings alone, but for the end of a line.
    for c in serde_json::to_string_pretty(&json)
        .unwrap_or_default()
        .chars()
    {
        match c {
            c if misleads(c) && c != '\n' => text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text.push('\n');
    text
}

/// A text that stands for itself in HTML.
fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #8886}\
code{font:.95em ui-monospace,monospace;overflow-wrap:anywhere}\
details{margin:.4rem 0;padding:.3rem .7rem;border-left:.3rem solid #8886}\
summary{cursor:pointer}.danger{border-color:#c62828}.warning{border-color:#ef8f00}.note{border-color:#1976d2}\
b.danger{color:#c62828}b.warning{color:#b26a00}b.note{color:#1976d2}\
ul{margin:.3rem 0}.small{font-size:.9rem;opacity:.8}\
@media(prefers-color-scheme:dark){b.danger{color:#ff8a80}b.warning{color:#ffcc80}b.note{color:#90caf9}}\
@media print{details>*{display:block}}";

/// As one page, which loads nothing and runs nothing.
pub fn html(report: &Report<'_>) -> String {
    let name = escape(report.name);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Review of {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Review of <code>{name}</code></h1>\n<p>{} of {} allowed calls are to be reviewed, the most dangerous first.</p>\n",
        report.items.len(),
        report.profile.calls.len(),
    );
    if !report.profile.evidence.is_empty() {
        page.push_str("<h2>Learnt from</h2>\n<ul class=\"small\">\n");
        for of in &report.profile.evidence {
            page.push_str(&format!("<li>{}</li>\n", escape(&evidence(of))));
        }
        page.push_str("</ul>\n");
    }
    let mut whole = report
        .findings
        .iter()
        .filter(|f| f.call.is_none())
        .peekable();
    if whole.peek().is_some() {
        page.push_str("<h2>The profile as a whole</h2>\n<ul>\n");
        for found in whole {
            page.push_str(&format!(
                "<li><b class=\"{0}\">{0}</b>: {1}</li>\n",
                found.severity,
                escape(&found.text)
            ));
        }
        page.push_str("</ul>\n");
    }
    let (bad, other): (Vec<&Item>, Vec<&Item>) = report
        .items
        .iter()
        .partition(|item| item.severity().is_some());
    let (implied, seen): (Vec<&Item>, Vec<&Item>) = other.iter().partition(|item| item.implied);
    for (title, items) in [
        ("To be looked at", bad),
        ("Nothing is said against these", seen),
        (
            "Nobody has seen these: other ways to do what was seen",
            implied,
        ),
    ] {
        if items.is_empty() {
            continue;
        }
        page.push_str(&format!("<h2>{title}</h2>\n"));
        for item in items {
            page.push_str(&section(item));
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(item: &Item) -> String {
    let (class, mark) = match item.severity() {
        Some(severity) => (
            format!(" class=\"{severity}\" open"),
            format!(" <b class=\"{severity}\">{severity}</b>"),
        ),
        None => (String::new(), String::new()),
    };
    let implied = if item.implied { ", implied" } else { "" };
    let why: String = item
        .why
        .iter()
        .map(|line| format!("<li>{}</li>\n", escape(line)))
        .collect();
    format!(
        "<details{class}>\n<summary><code>{}</code>{mark} <span class=\"small\">{}{implied}</span> <code>{}</code></summary>\n\
         <ul>\n{why}</ul>\n</details>\n",
        escape(&item.call.to_string()),
        item.group,
        escape(&change(item)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::lint;
    use crate::review::items;

    #[test]
    fn no_control_character_is_printed() {
        assert_eq!(printable("a\x1b[31m\u{9b}\u{202e}b\nc"), "a?[31m??b?c");
        assert_eq!(printable("größer 大"), "größer 大");
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let mut profile = Profile::default();
        let call = "ptrace".parse().unwrap();
        profile.allow(call);
        let seen = profile.calls.get_mut(&call).unwrap();
        let first = "<script>&\"\u{1b}[31m\u{9b}\u{202e}";
        seen.first = Some(first.to_owned());
        let items = items(&Profile::default(), &profile);
        let findings = lint(&profile);
        let report = Report {
            name: "<b>\u{202e}",
            profile: &profile,
            items: &items,
            findings: &findings,
        };
        let page = html(&report);
        assert!(
            !page.contains("<script>") && !page.contains("<b>"),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;&amp;&quot;?[31m??"), "{page}");
        for text in [html(&report), text(&report), json(&report)] {
            assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}");
            assert!(text.contains("ptrace"));
        }
        // JSON keeps what there is.
        let read: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
        assert!(read["items"][0]["why"].to_string().contains('\u{202e}'));
        // Nothing is fetched.
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="));
    }
}
