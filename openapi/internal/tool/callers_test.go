package tool

import (
	"slices"
	"testing"
)

func TestParseCallers(t *testing.T) {
	const grown = " (an interface that every new operation adds to)"
	for name, test := range map[string]struct {
		report   string
		lines    []string
		breaking int
	}{
		"nothing": {},
		"compatible": {
			report: "Compatible changes:\n- A: added\n- B: added\n",
			lines:  []string{"            A: added", "            B: added"},
		},
		"incompatible": {
			report:   "Incompatible changes:\n- A.B: removed\nCompatible changes:\n- C: added\n",
			lines:    []string{"  breaking  A.B: removed", "            C: added"},
			breaking: 1,
		},
		"interfaces of the client": {
			report: "Incompatible changes:\n- ClientInterface.A: added\n- ClientWithResponsesInterface.B: added\nCompatible changes:\n- ClientInterface.A: added\n",
			lines: []string{
				"            ClientInterface.A: added" + grown,
				"            ClientWithResponsesInterface.B: added" + grown,
			},
		},
		"interfaces of the client that lose": {
			report:   "Incompatible changes:\n- ClientInterface.A: removed\n- ClientInterface.B: changed from func() to func(int)\n",
			lines:    []string{"  breaking  ClientInterface.A: removed", "  breaking  ClientInterface.B: changed from func() to func(int)"},
			breaking: 2,
		},
		"another interface": {
			report:   "Incompatible changes:\n- HttpRequestDoer.A: added\n",
			lines:    []string{"  breaking  HttpRequestDoer.A: added"},
			breaking: 1,
		},
		"windows lines": {
			report:   "Incompatible changes:\r\n- A: removed\r\n",
			lines:    []string{"  breaking  A: removed"},
			breaking: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := ParseCallers(test.report)
			if !slices.Equal(found.Lines, test.lines) || found.Breaking != test.breaking {
				t.Errorf("it is %d, %q", found.Breaking, found.Lines)
			}
		})
	}
}
