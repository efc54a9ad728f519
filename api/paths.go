package api

import (
	"slices"
	"strings"
	"sync"
)

// intact reports whether path, relative to the base URL and escaped, can be that of an operation whose path
// parameters are one segment each. What an empty parameter, "." or ".." leaves behind is
//   - an empty segment: /sessions/, /sessions//stop;
//   - a trailing slash, when it was the last segment: /sessions/. is resolved to /sessions/, and /sessions/.. to /;
//   - a path with fewer segments otherwise: /sessions/./stop is resolved to /sessions/stop, and /sessions/../stop
//     to /stop. Those are known from the operations.
//
// An ID can then be refused that is a word of the API's own paths, as "stop" for /sessions/{id}: the two requests
// would be the same one.
func intact(method, path string) bool {
	if path == "" || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") || strings.Contains(path, "//") {
		return false
	}
	patterns := shortened()[method]
	if len(patterns) == 0 {
		return true
	}
	segments := strings.Split(path, "/")
	return !slices.ContainsFunc(patterns, func(p pathPattern) bool { return p.matches(segments) })
}

// A pathPattern is a path by its segments; those in braces stand for any.
type pathPattern []string

func (p pathPattern) matches(segments []string) bool {
	return slices.EqualFunc(p, segments, func(want, got string) bool { return want == got || isParameter(want) })
}

func isParameter(segment string) bool {
	return strings.HasPrefix(segment, "{")
}

// shortened returns by method what is left of the operations' paths when some parameters are dots, without those
// patterns that match an operation's own path.
var shortened = sync.OnceValue(func() map[string][]pathPattern {
	return shortenedPaths(operationPaths)
})

func shortenedPaths(operations []string) map[string][]pathPattern {
	paths := make(map[string][]pathPattern)
	for _, operation := range operations {
		method, path, _ := strings.Cut(operation, " /")
		paths[method] = append(paths[method], strings.Split(path, "/"))
	}
	short := make(map[string][]pathPattern)
	for method, own := range paths {
		for _, path := range own {
			for _, p := range shorten(nil, path) {
				if len(p) < len(path) && !slices.ContainsFunc(own, func(o pathPattern) bool { return p.matches(o) }) {
					short[method] = append(short[method], p)
				}
			}
		}
	}
	return short
}

// shorten returns head followed by each way to resolve tail: a parameter stays, is a dot, or is two dots that take
// the segment before it along. The last segment of a path always stays, as dots there leave a trailing slash.
func shorten(head, tail pathPattern) []pathPattern {
	if len(tail) == 1 {
		return []pathPattern{append(slices.Clone(head), tail[0])}
	}
	ways := shorten(append(slices.Clone(head), tail[0]), tail[1:])
	if isParameter(tail[0]) {
		ways = append(ways, shorten(head, tail[1:])...)
		ways = append(ways, shorten(head[:max(0, len(head)-1)], tail[1:])...)
	}
	return ways
}
