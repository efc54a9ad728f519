package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"example.com/ngrokapi/openapi/internal/tool"
)

// oasdiff's own levels: it knows that an error breaks clients, and that a warning can.
const levelWarning = 2

// parseWire reads the changelog that oasdiff prints as JSON. What can break a client counts as breaking: a person
// has to tell.
func parseWire(changelog []byte) (tool.Changes, error) {
	var entries []struct {
		ID, Text, Operation, Path, Section string
		Level                              int
	}
	if err := json.Unmarshal(changelog, &entries); err != nil {
		return tool.Changes{}, fmt.Errorf("read the changelog of oasdiff: %w; does this version print JSON?", err)
	}
	var found tool.Changes
	for _, entry := range entries {
		where := strings.TrimSpace(entry.Operation + " " + entry.Path)
		if where == "" {
			where = entry.Section
		}
		// The text quotes the document, which may hold line ends.
		text := strings.Join(strings.Fields(entry.Text), " ")
		found.Add(entry.Level >= levelWarning, fmt.Sprintf("%s: %s [%s]", where, text, entry.ID))
	}
	return found, nil
}
