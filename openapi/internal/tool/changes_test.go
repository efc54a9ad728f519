package tool

import (
	"slices"
	"testing"
)

func TestSection(t *testing.T) {
	var changes Changes
	if got, want := changes.Section("on the wire"), []string{"", "on the wire:", "            nothing"}; !slices.Equal(got, want) {
		t.Errorf("without changes: got %q, want %q", got, want)
	}
	changes.Add(true, "a")
	changes.Add(false, "b")
	if got, want := changes.Section("on the wire"), []string{"", "on the wire:", "  breaking  a", "            b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if changes.Breaking != 1 {
		t.Errorf("%d are breaking, want 1", changes.Breaking)
	}
}

func TestCount(t *testing.T) {
	for n, want := range []string{"no change", "1 change", "2 changes"} {
		if got := Count(n, "change"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
