package main

import (
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

func TestVerdict(t *testing.T) {
	nothing := tool.Changes{}
	compatible := tool.Changes{Lines: []string{"a", "b"}}
	breaking := tool.Changes{Lines: []string{"a", "b"}, Breaking: 1}
	for name, test := range map[string]struct {
		wire, callers tool.Changes
		want          string
	}{
		"only text":            {nothing, nothing, "patch: only what the document says of the API changed, nothing on the wire or for Go callers"},
		"wire only":            {compatible, nothing, "patch: 2 changes on the wire, none breaking and none for Go callers"},
		"callers only":         {nothing, compatible, "minor: 2 changes for Go callers, none breaking"},
		"both":                 {compatible, compatible, "minor: 2 changes for Go callers, none breaking"},
		"breaking wire":        {breaking, nothing, "major: 1 breaking change on the wire and no breaking change for Go callers"},
		"breaking for callers": {compatible, breaking, "major: no breaking change on the wire and 1 breaking change for Go callers"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(test.wire, test.callers); got != test.want {
				t.Errorf("it is %q, want %q", got, test.want)
			}
		})
	}
}
