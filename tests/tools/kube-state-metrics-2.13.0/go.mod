// Pins what `testbed build` compiles; nothing imports this module.
module starform.io/testbed/tools/kube-state-metrics-2.13.0

go 1.26

tool (
	k8s.io/kube-state-metrics/v2
)

require k8s.io/kube-state-metrics/v2 v2.13.0
