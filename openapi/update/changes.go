package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	vendored "example.com/ngrokapi/openapi"
)

// changes are the results of a comparison.
type changes struct {
	lines    []string
	breaking int // how many of the lines are breaking changes
}

// add adds a change, unless it is there: apidiff finds some twice.
func (c *changes) add(breaking bool, text string) {
	mark := "            "
	if breaking {
		mark = "  breaking  "
	}
	// The text may quote the document, and with it line ends.
	line := mark + strings.Join(strings.Fields(text), " ")
	if slices.Contains(c.lines, line) {
		return
	}
	c.lines = append(c.lines, line)
	if breaking {
		c.breaking++
	}
}

// parseChangelog parses the output of oasdiff. Errors break clients and warnings may, so both count as breaking: a person
// decides.
func parseChangelog(changelog []byte) (changes, error) {
	const warning = 2
	var entries []struct {
		ID, Text, Operation, Path, Section string
		Level                              int
	}
	if err := json.Unmarshal(changelog, &entries); err != nil {
		return changes{}, fmt.Errorf("read the changelog of oasdiff: %w; check its version in the Makefile", err)
	}
	var found changes
	for _, entry := range entries {
		where := strings.TrimSpace(entry.Operation + " " + entry.Path)
		if where == "" {
			where = entry.Section
		}
		// ngrok never raises the version of its document.
		if entry.ID != "api-version-not-bumped" {
			found.add(entry.Level >= warning, fmt.Sprintf("%s: %s [%s]", where, entry.Text, entry.ID))
		}
	}
	return found, nil
}

// addServers adds a change of the servers, which oasdiff ignores. The client has its server's URL in its own code.
func (c *changes) addServers(rev revision) error {
	before, err := vendored.Parse(rev.committed)
	if err != nil {
		return fmt.Errorf("read the committed fragment: %w", err)
	}
	after, err := vendored.Parse(rev.next)
	if err != nil {
		return fmt.Errorf("read the new fragment: %w", err)
	}
	if was, is := servers(before), servers(after); !slices.Equal(was, is) {
		c.add(true, fmt.Sprintf("servers: %v became %v; change the base URL in package api", was, is))
	}
	return nil
}

// servers returns the URLs of all servers that the document names, at its top, for a path, or for an operation.
func servers(doc *openapi3.T) []string {
	all := doc.Servers
	for _, item := range doc.Paths.Map() {
		all = append(all, item.Servers...)
		for _, each := range item.Operations() {
			if each.Servers != nil {
				all = append(all, *each.Servers...)
			}
		}
	}
	var urls []string
	for _, each := range all {
		urls = append(urls, each.URL)
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

// harmless matches what apidiff calls incompatible and package api reserves the right to do: the two generated interfaces
// get methods with every new operation, and a new field, such as a map, can make a struct incomparable.
var harmless = regexp.MustCompile(`^(ClientInterface|ClientWithResponsesInterface)\.\w+: added$|: old is comparable, new is not$`)

// parseExports parses the output of apidiff.
func parseExports(text string) changes {
	var found changes
	incompatible := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); line {
		case "Incompatible changes:":
			incompatible = true
		case "Compatible changes:":
			incompatible = false
		default:
			if entry, isEntry := strings.CutPrefix(line, "- "); isEntry {
				found.add(incompatible && !harmless.MatchString(entry), entry)
			}
		}
	}
	return found
}

// judge returns the kind of release, in the sense of semantic versioning, that the changes call for, and why.
func judge(wire, callers changes) string {
	if wire.breaking+callers.breaking > 0 {
		return fmt.Sprintf("major: %d breaking on the wire, %d breaking for Go callers", wire.breaking, callers.breaking)
	}
	kind := "patch"
	if len(callers.lines) > 0 {
		kind = "minor"
	}
	return fmt.Sprintf("%s: %d on the wire, %d for Go callers, none breaking", kind, len(wire.lines), len(callers.lines))
}
