package tool

import (
	"io"
	"strings"
	"testing"
)

func TestGoCommand(t *testing.T) {
	t.Setenv("UPSTREAM", "anything")
	var out strings.Builder
	if err := GoCommand(t.Context(), ".", &out, "list", "-f", "{{.Name}}", "."); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(out.String()); got != "tool" {
		t.Errorf("it prints %q", got)
	}
	err := GoCommand(t.Context(), ".", io.Discard, "nonsense")
	if err == nil {
		t.Fatal("it reports no failure")
	}
	for _, want := range []string{"go nonsense: exit status 2\n", "unknown command"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q in it", err, want)
		}
	}
	for _, variable := range childEnvironment() {
		if strings.HasPrefix(variable, "UPSTREAM=") {
			t.Errorf("%s is passed on", variable)
		}
	}
}
