//! Holds a pod's namespaces open. containerd ends it with SIGKILL, so it handles no signal.

fn main() {
    loop {
        std::thread::park();
    }
}
