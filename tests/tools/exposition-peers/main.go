// Peers of the exposition reader: Prometheus' own parser as the oracle of what a body says, and Prometheus' and
// VictoriaMetrics' parsers to be measured against.
package main

import (
	"bufio"
	"fmt"
	"os"
)

const usage = `usage:
  exposition-peers dump
      reads bodies from stdin, writes one line of JSON per body to stdout (see dump.go)
  exposition-peers bench textparse|textparse-openmetrics|victoriametrics FILE
      reads FILE once, then parses it once per line of stdin and writes one line of JSON for each
`

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := run(os.Args[1:], out)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exposition-peers:", err)
		os.Exit(1)
	}
}

func run(args []string, out *bufio.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "dump":
		return dump(os.Stdin, out)
	case len(args) == 3 && args[0] == "bench":
		return bench(args[1], args[2], os.Stdin, out)
	default:
		return fmt.Errorf("unknown command\n%s", usage)
	}
}
