//! Thread: any. Which threads the process has, to see whether a plugin leaves some behind.

/// The names of all threads of this process at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadCensus {
    /// Sorted; the system cuts names after 15 characters.
    pub names: Vec<String>,
}

impl ThreadCensus {
    /// Counts now. Empty where the system cannot say (other than Linux).
    pub fn take() -> Self {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let mut names: Vec<String> = tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
            .map(|name| name.trim_end().to_owned())
            .collect();
        names.sort();
        Self { names }
    }

    /// The threads that are here and were not in `earlier`, by name and number.
    pub fn since(&self, earlier: &Self) -> Vec<String> {
        let mut before = earlier.names.clone();
        let mut new = Vec::new();
        for name in &self.names {
            match before.iter().position(|other| other == name) {
                Some(found) => {
                    before.swap_remove(found);
                }
                None => new.push(name.clone()),
            }
        }
        new
    }
}
