package tool

import (
	"regexp"
	"strings"
)

// grownInterface matches a method that apidiff finds added to an interface that the generator writes beside each
// client. They get methods with every new operation; only a type that implements one itself, a mock, notices.
var grownInterface = regexp.MustCompile(`^(ClientInterface|ClientWithResponsesInterface)\.\w+: added$`)

// ParseCallers reads the report of apidiff: what changed for Go code that uses a package.
func ParseCallers(report string) Changes {
	var found Changes
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
				found.Add(false, entry+" (an interface that every new operation adds to)")
				continue
			}
			found.Add(incompatible, entry)
		}
	}
	return found
}
