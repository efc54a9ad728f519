package main

import "fmt"

// verdict says which release, in the sense of semantic versioning, a change of the document asks for, and why.
func verdict(wire, callers changes) string {
	switch {
	case wire.breaking > 0 || callers.breaking > 0:
		return fmt.Sprintf("major: %s on the wire and %s for Go callers",
			count(wire.breaking, "breaking change"), count(callers.breaking, "breaking change"))
	case len(callers.lines) > 0:
		return fmt.Sprintf("minor: %s for Go callers, none breaking", count(len(callers.lines), "change"))
	case len(wire.lines) > 0:
		return fmt.Sprintf("patch: %s on the wire, none breaking and none for Go callers", count(len(wire.lines), "change"))
	default:
		return "patch: only what the document says of the API changed, nothing on the wire or for Go callers"
	}
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}
