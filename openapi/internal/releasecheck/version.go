package main

import (
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"example.com/ngrokapi/openapi/internal/tool"
)

// release is what decides on the next version.
type release struct {
	path  string // the module path
	tags  tags
	since difference // from the last release; empty if there is none
}

// verdict is the least version that will do.
type verdict struct {
	least string // without a pre-release part; "" for any that the module path allows
	text  string
}

func (r release) verdict() verdict {
	last := r.tags.last()
	if last == "" {
		if _, major, _ := module.SplitPathVersion(r.path); major != "" {
			first := module.PathMajorPrefix(major) + ".0.0"
			return verdict{"", "no release yet: any version that suits the module path will do, such as " + first}
		}
		return verdict{"", "no release yet: any version will do, such as v0.1.0"}
	}
	if r.since.otherPath != "" {
		return verdict{"", fmt.Sprintf("another module: %s had the path %s, so nobody gets %s by an update; "+
			"any later version that suits the module path will do", last, r.since.otherPath, r.path)}
	}
	found := r.since.changes
	switch major := semver.Major(last); {
	case found.Breaking > 0 && major != "v0":
		least := raise(last, 0)
		return verdict{least, fmt.Sprintf("major, %s or later, with the module path %s (make module-path): %s",
			least, pathFor(r.path, semver.Major(least)), tool.Count(found.Breaking, "breaking change"))}
	case found.Breaking > 0:
		least := raise(last, 1)
		return verdict{least, fmt.Sprintf("minor, %s or later: %s, which v0 does not promise to avoid",
			least, tool.Count(found.Breaking, "breaking change"))}
	case len(found.Lines) > 0:
		least := raise(last, 1)
		return verdict{least, fmt.Sprintf("minor, %s or later: %s, none breaking", least, tool.Count(len(found.Lines), "change"))}
	default:
		least := raise(last, 2)
		return verdict{least, fmt.Sprintf("patch, %s or later: nothing that is exported changed", least)}
	}
}

// accept returns an error if version is less than the verdict, or not after what was released before.
func (r release) accept(v verdict, version string) error {
	for _, tag := range r.tags.all {
		if tag == version {
			return fmt.Errorf("check %s: there is such a tag, and the go command remembers what a version holds; choose another", version)
		}
	}
	for _, tag := range r.tags.held {
		if semver.Compare(version, tag) < 0 {
			return fmt.Errorf("check %s: %s was before it and is greater; choose a later one", version, tag)
		}
	}
	if v.least != "" && semver.Compare(withoutPrerelease(version), v.least) < 0 {
		return fmt.Errorf("check %s: it is too small for the changes since %s; the least is %s", version, r.tags.last(), v.least)
	}
	return nil
}

// raise returns the version with the number at index raised, and those after it 0.
func raise(version string, index int) string {
	numbers := strings.Split(strings.TrimPrefix(withoutPrerelease(version), "v"), ".")
	// Versions have no bound.
	n, _ := new(big.Int).SetString(numbers[index], 10)
	numbers[index] = n.Add(n, big.NewInt(1)).String()
	for i := index + 1; i < len(numbers); i++ {
		numbers[i] = "0"
	}
	return "v" + strings.Join(numbers, ".")
}

func withoutPrerelease(version string) string {
	return strings.TrimSuffix(version, semver.Prerelease(version))
}
