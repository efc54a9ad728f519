package main

import (
	"regexp"
	"strings"
)

// grownInterface matches a method that apidiff finds added to an interface that the generator writes beside each
// client. They get methods with every new operation; only a type that implements one itself, a mock, notices.
var grownInterface = regexp.MustCompile(`^(ClientInterface|ClientWithResponsesInterface)\.\w+: added$`)

// parseCallers reads the report of apidiff.
func parseCallers(report string) changes {
	var found changes
	incompatible := false
	seen := make(map[string]bool)
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\r\n")
		entry, isEntry := strings.CutPrefix(line, "- ")
		switch {
		case line == "Incompatible changes:":
			incompatible = true
		case line == "Compatible changes:":
			incompatible = false
		case isEntry && !seen[entry]:
			seen[entry] = true
			if incompatible && grownInterface.MatchString(entry) {
				found.add(false, entry+" (an interface that every new operation adds to)")
				continue
			}
			found.add(incompatible, entry)
		}
	}
	return found
}
