//! Thread: main. What there is of models, in words and for programs.

use cantus_engine::models::space::size_words;
use cantus_engine::models::{
    Acceptance, Doing, Finding, Form, Licence, ModelProgress, ModelState, ModelStatus, VerifyReport,
};
use serde_json::{Value, json};
use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr};

/// Prints every model with its state.
pub fn list(rows: &[ModelStatus]) {
    for status in rows {
        println!("{:<30} {}", status.id, state(status));
        if let Some(model) = status.model {
            println!("    {}: {}", model.name, model.about);
            if let Some(other) = status.inspection.model.filter(|other| *other != model) {
                println!("    In its folder lies {}, though.", other.name);
            }
        }
        println!("    {}", status.dir.display());
    }
}

/// How much of a model is there, in a few words.
pub fn state(status: &ModelStatus) -> String {
    let here = size_words(status.inspection.bytes_on_disk);
    match &status.inspection.state {
        ModelState::Absent => match status.model {
            Some(model) => format!("not installed, {} to fetch", size_words(model.bytes)),
            None => "the folder is gone".to_owned(),
        },
        ModelState::Complete if status.inspection.form == Some(Form::Audiocraft) => {
            format!("installed in audiocraft's form, {here}")
        }
        ModelState::Complete => format!("installed, {here}"),
        ModelState::Partial { interrupted: true, .. } => format!("fetched in part, {here} so far"),
        ModelState::Partial { missing, .. } => format!("incomplete, {here}; missing: {}", missing.join(", ")),
        ModelState::Damaged { faults } => {
            let faults: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.file, fault.reason)).collect();
            format!("damaged: {}", faults.join("; "))
        }
        ModelState::Foreign { reason } => format!("not usable: {reason}"),
    }
}

/// Prints a licence, what it means, and whether it was accepted.
pub fn licence(licence: &Licence, acceptances: &[Acceptance]) {
    let accepted = acceptances.iter().find(|acceptance| acceptance.licence == licence.id);
    let accepted = accepted.map_or("not accepted yet".to_owned(), |acceptance| format!("accepted {}", acceptance.date));
    println!("Licence of the weights: {} ({accepted})\n{}\n{}", licence.name, licence.page, licence.meaning);
}

/// Every model for other programs.
pub fn as_json(rows: &[ModelStatus], acceptances: &[Acceptance]) -> Value {
    let row = |status: &ModelStatus| {
        let inspection = &status.inspection;
        let accepted =
            status.model.and_then(|model| acceptances.iter().find(|given| given.licence == model.licence.id));
        let (state, missing, faults, reason) = match &inspection.state {
            ModelState::Absent => ("absent", json!([]), json!([]), None),
            ModelState::Partial { missing, .. } => ("partial", json!(missing), json!([]), None),
            ModelState::Damaged { faults } => {
                let faults: Vec<_> =
                    faults.iter().map(|fault| json!({ "file": fault.file, "reason": fault.reason })).collect();
                ("damaged", json!([]), json!(faults), None)
            }
            ModelState::Foreign { reason } => ("foreign", json!([]), json!([]), Some(reason)),
            ModelState::Complete => ("complete", json!([]), json!([]), None),
        };
        json!({
            "id": status.id,
            "name": status.model.map(|model| model.name),
            "about": status.model.map(|model| model.about),
            "repository": status.model.map(|model| model.repository),
            "page": status.model.map(|model| model.page),
            "licence": status.model.map(|model| model.licence.id),
            "licence_accepted": accepted.map(|given| &given.date),
            "bytes_to_fetch": status.model.map(|model| model.bytes),
            "dir": status.dir,
            "in_library": status.in_library,
            "state": state,
            "missing": missing,
            "faults": faults,
            "reason": reason,
            "form": inspection.form.map(|form| match form {
                Form::Transformers => "transformers",
                Form::Audiocraft => "audiocraft",
            }),
            "bytes_on_disk": inspection.bytes_on_disk,
            "revision": status.revision,
        })
    };
    Value::Array(rows.iter().map(row).collect())
}

/// Prints what a thorough check found.
pub fn report(report: &VerifyReport) {
    for file in &report.files {
        let finding = match &file.finding {
            Finding::Confirmed => "right: its checksum is the hub's".to_owned(),
            Finding::Unchanged => "right: it is what was fetched".to_owned(),
            Finding::LooksRight => format!("looks right; SHA-256 {}", file.sha256),
            Finding::Wrong(reason) => format!("WRONG: it {reason}"),
        };
        println!("{:<36} {:>9}  {finding}", file.name, size_words(file.bytes));
    }
}

/// A listener that draws one line on the terminal. Into anything else it prints a line for each file, if `lists_files`.
pub fn progress(lists_files: bool) -> impl Fn(&ModelProgress) {
    let told = Cell::new((0, String::new()));
    move |now: &ModelProgress| {
        if stderr().is_terminal() {
            // Progress that cannot be shown is not worth stopping for.
            let _ = write!(stderr(), "\r\x1b[K{}", line(now));
            let _ = stderr().flush();
            return;
        }
        let (files_done, file) = told.take();
        if lists_files && now.files_done > files_done {
            println!("{file}: done ({} of {})", now.files_done, now.files);
        }
        told.set((now.files_done, now.file.clone()));
    }
}

fn line(now: &ModelProgress) -> String {
    let so_far = format!("{} of {}", size_words(now.bytes_done), size_words(now.bytes));
    match now.doing {
        Doing::Asking => "asking the hub".to_owned(),
        Doing::Waiting if now.files == 0 => "no answer yet; trying again".to_owned(),
        Doing::Waiting => format!("{}: connection lost, trying again; {so_far}", now.file),
        Doing::Checking => format!("{}: checking; {so_far}", now.file),
        Doing::Fetching => {
            let left = now.bytes.saturating_sub(now.bytes_done) as f64 / now.bytes_per_second;
            let left = if left.is_finite() { format!(", {} left", time_words(left)) } else { String::new() };
            format!("{}: {so_far}, {}/s{left}", now.file, size_words(now.bytes_per_second as u64))
        }
    }
}

fn time_words(seconds: f64) -> String {
    match seconds as u64 {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}
