package main

import (
	"fmt"

	"example.com/ngrokapi/openapi/internal/tool"
)

// verdict says which release, in the sense of semantic versioning, a change of the document asks for, and why.
func verdict(wire, callers tool.Changes) string {
	switch {
	case wire.Breaking > 0 || callers.Breaking > 0:
		return fmt.Sprintf("major: %s on the wire and %s for Go callers",
			tool.Count(wire.Breaking, "breaking change"), tool.Count(callers.Breaking, "breaking change"))
	case len(callers.Lines) > 0:
		return fmt.Sprintf("minor: %s for Go callers, none breaking", tool.Count(len(callers.Lines), "change"))
	case len(wire.Lines) > 0:
		return fmt.Sprintf("patch: %s on the wire, none breaking and none for Go callers", tool.Count(len(wire.Lines), "change"))
	default:
		return "patch: only what the document says of the API changed, nothing on the wire or for Go callers"
	}
}
