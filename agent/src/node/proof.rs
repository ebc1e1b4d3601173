//! What proves a node, and what it comes to. Pure.

/// What was seen of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What its kubelet's container metrics show, or why they could not be read.
    pub kubelet: Result<Shown, String>,
    /// For each collector that is to run here whether it does, in words where not.
    pub collectors: Vec<Result<(), String>>,
}

/// What a kubelet's container metrics show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// How many pods.
    pub pods: usize,
    /// Whether this one is among them.
    pub own: bool,
}

/// What a proof comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the node is proven.
    pub proven: bool,
    /// One word, as a condition has it.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

/// The longest message; a Node is no place for pages.
const MESSAGE: usize = 600;

// === impl Proof ===

impl Proof {
    /// What it comes to: the first thing that is missing, in the order in which things depend on each other.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        let shown = match self.kubelet {
            Ok(shown) => shown,
            Err(problem) => return Verdict::not("KubeletMetricsUnread", &problem),
        };
        if !shown.own {
            return Verdict::not(
                "OwnPodNotShown",
                &format!(
                    "the kubelet's container metrics show {} pods, and not this agent's own",
                    shown.pods
                ),
            );
        }
        let running = self.collectors.len();
        if let Some(problem) = self.collectors.into_iter().find_map(Result::err) {
            return Verdict::not("CollectorNotRunning", &problem);
        }
        let collectors = match running {
            0 => String::new(),
            1 => ", and the collector runs".to_owned(),
            _ => format!(", and {running} collectors run"),
        };
        Verdict {
            proven: true,
            reason: "Proven",
            message: format!("the kubelet's container metrics show {} pods{collectors}", shown.pods),
        }
    }
}

// === impl Verdict ===

impl Verdict {
    fn not(reason: &'static str, message: &str) -> Self {
        Self {
            proven: false,
            reason,
            message: message.chars().take(MESSAGE).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kubelet: Result<Shown, &str>, collectors: Vec<Result<(), String>>) -> Verdict {
        Proof {
            kubelet: kubelet.map_err(ToOwned::to_owned),
            collectors,
        }
        .verdict()
    }

    const SHOWN: Shown = Shown { pods: 7, own: true };

    #[test]
    fn a_node_is_proven_by_its_own_pod_and_every_collector() {
        assert!(verdict(Ok(SHOWN), Vec::new()).proven);
        let proven = verdict(Ok(SHOWN), vec![Ok(()), Ok(())]);
        assert_eq!(
            proven.message,
            "the kubelet's container metrics show 7 pods, and 2 collectors run"
        );
        for (kubelet, collectors, reason) in [
            (Err("GET https://10.0.0.1:10250: 403"), vec![], "KubeletMetricsUnread"),
            (Ok(Shown { own: false, ..SHOWN }), vec![], "OwnPodNotShown"),
            (Ok(SHOWN), vec![Ok(()), Err("no pod".to_owned())], "CollectorNotRunning"),
        ] {
            let verdict = verdict(kubelet, collectors);
            assert!(!verdict.proven);
            assert_eq!(verdict.reason, reason);
            assert!(!verdict.message.is_empty());
        }
    }

    #[test]
    fn a_message_is_bounded() {
        let long = "é".repeat(10_000);
        assert_eq!(verdict(Err(&long), Vec::new()).message.chars().count(), MESSAGE);
    }
}
