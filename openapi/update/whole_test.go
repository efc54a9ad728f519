package main

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/ngrokapi/openapi/internal/tool"
)

// What make update does with the whole document of the API, which is not part of this module, and with the tools
// that the Makefile names.
func TestRegenerateFromTheWholeUpstream(t *testing.T) {
	upstream := readFile(t, wholeUpstream(t))
	makefile := readFile(t, filepath.Join("..", "..", "Makefile"))
	args := []string{"-regenerate", "-oasdiff", pinned(t, makefile, "OASDIFF"), "-apidiff", pinned(t, makefile, "APIDIFF")}
	folder := copyModule(t)
	regenerate := func(t *testing.T, upstream string, status int, more ...string) (stdout string, changed []string) {
		t.Helper()
		tr := newTrialIn(t, folder)
		tr.run = tool.GoCommand
		before := tr.files(t)
		tr.wantStatus(t, tr.update(t, upstream, slices.Concat(args, more)...), status)
		after := tr.files(t)
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if before[name] != after[name] {
				changed = append(changed, strings.TrimPrefix(filepath.ToSlash(name), filepath.ToSlash(folder)+"/"))
			}
		}
		return tr.stdout.String(), changed
	}
	both := []string{"api/client.gen.go", "openapi/ngrok.yaml"}

	stdout, changed := regenerate(t, upstream, 0, "-add", "TunnelSessionsGet")
	if !strings.Contains(stdout, "verdict: no change") {
		t.Skip("the vendored fragment is not from this document")
	}
	if len(changed) > 0 {
		t.Errorf("without a change, there are changes in %v", changed)
	}

	stdout, changed = regenerate(t, upstream, 0, "-add", "TunnelSessionsList,TunnelSessionsStop")
	wantInOrder(t, stdout, "on the wire", " GET /tunnel_sessions: endpoint added", "for Go callers",
		" (*ClientWithResponses).TunnelSessionsListWithResponse: added", "tests:", "verdict: minor: ")
	if !slices.Equal(changed, both) {
		t.Errorf("the change is in %v", changed)
	}

	start, end, found := strings.Cut(upstream, "\n    TunnelSessionList:\n")
	if !found {
		t.Fatal("the document has no TunnelSessionList")
	}
	other := start + "\n    TunnelSessionList:\n" + strings.Replace(end, "type: string", "type: integer", 1)
	stdout, changed = regenerate(t, other, 1)
	wantInOrder(t, stdout, "  breaking  GET /tunnel_sessions: ", "  breaking  TunnelSessionList.URI: changed", "tests:", "verdict: major: ")
	if !slices.Equal(changed, both) {
		t.Errorf("the change is in %v", changed)
	}

	stdout, changed = regenerate(t, upstream, 0, "-all", "-allow-breaking")
	wantInOrder(t, stdout, "operations (", "on the wire", "for Go callers", "tests:", "verdict: major: ")
	if !slices.Equal(changed, both) {
		t.Errorf("the change is in %v", changed)
	}
	client := readFile(t, filepath.Join(folder, "api", "client.gen.go"))
	if strings.Contains(client, "NgrokVersion") || strings.Contains(client, "ngrok-version") {
		t.Error("the overlay left the version parameter to callers")
	}
	if got, want := strings.Count(client, "WithResponse(ctx context.Context"), strings.Count(upstream, "operationId:"); got < want {
		t.Errorf("the client has %d methods for %d operations", got, want)
	}
	if err := tool.GoCommand(t.Context(), folder, t.Output(), "vet", "./..."); err != nil {
		t.Error(err)
	}
}

// pinned returns the value of a variable of the Makefile.
func pinned(t *testing.T, makefile, variable string) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + variable + ` := (\S+@v\S+)\r?$`).FindStringSubmatch(makefile)
	if match == nil {
		t.Fatalf("the Makefile does not pin %s", variable)
	}
	return match[1]
}
