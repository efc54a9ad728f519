package api

import (
	"runtime/debug"
	"testing"
)

func TestModuleVersion(t *testing.T) {
	const module = "example.com/ngrokapi"
	for _, test := range []struct {
		name string
		info *debug.BuildInfo // nil: there is none
		want string
	}{
		{"dependency", &debug.BuildInfo{Deps: []*debug.Module{{Path: "x.test/y", Version: "v9.0.0"}, {Path: module, Version: "v1.2.3"}}}, "v1.2.3"},
		{"replaced by a version", &debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.2.3",
			Replace: &debug.Module{Path: "x.test/fork", Version: "v1.2.4"}}}}, "v1.2.4"},
		{"replaced by a folder", &debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v1.2.3",
			Replace: &debug.Module{Path: "../fork"}}}}, "v1.2.3"},
		{"main module", &debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}}, "devel"},
		{"main module without a version", &debug.BuildInfo{Main: debug.Module{Path: module}}, "devel"},
		{"not there", &debug.BuildInfo{}, "devel"},
		{"no build info", nil, "devel"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := moduleVersion(test.info, module); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
