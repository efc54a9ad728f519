package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// changes is what a tool reports, a line each, and how many of the lines are breaking.
type changes struct {
	lines    []string
	breaking int
}

func (c *changes) add(breaking bool, line string) {
	mark := "            "
	if breaking {
		mark = "  breaking  "
		c.breaking++
	}
	c.lines = append(c.lines, mark+line)
}

// oasdiff's own levels: it knows that an error breaks clients, and that a warning can.
const levelWarning = 2

// parseWire reads the changelog that oasdiff prints as JSON. What can break a client counts as breaking: a person
// has to tell.
func parseWire(changelog []byte) (changes, error) {
	var entries []struct {
		ID, Text, Operation, Path, Section string
		Level                              int
	}
	if err := json.Unmarshal(changelog, &entries); err != nil {
		return changes{}, fmt.Errorf("read the changelog of oasdiff: %w; does this version print JSON?", err)
	}
	var found changes
	for _, entry := range entries {
		where := strings.TrimSpace(entry.Operation + " " + entry.Path)
		if where == "" {
			where = entry.Section
		}
		// The text quotes the document, which may hold line ends.
		text := strings.Join(strings.Fields(entry.Text), " ")
		found.add(entry.Level >= levelWarning, fmt.Sprintf("%s: %s [%s]", where, text, entry.ID))
	}
	return found, nil
}
