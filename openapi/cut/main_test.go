package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const upstream = `{"openapi":"3.0.0","info":{"title":"t","version":"1"},"servers":[{"url":"https://api.test"}],"paths":{
"/a":{"get":{"operationId":"AGet","x-go-name":"B","responses":{"200":{"description":"an A","content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}},
"/b":{"get":{"operationId":"BGet","responses":{"200":{"description":"a B","content":{"application/json":{"schema":{"$ref":"#/components/schemas/B"}}}}}}}},
"components":{"schemas":{"A":{"type":"object"},"B":{"type":"object"}}}}`

func TestCut(t *testing.T) {
	committed, err := os.ReadFile("../ngrok.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, upstream, keep string
		has, lacks           string
		err                  string
	}{
		{"one", upstream, "AGet", "AGet A:", "BGet B: x-go-name:", ""},
		{"all", upstream, "*", "AGet A: BGet B:", "x-go-name:", ""},
		{"unknown", upstream, "AGet Nope", "", "AGet", `no operation ["Nope"]`},
		{"none", upstream, "", "", "AGet", "no operation"},
		{"cut short", upstream[:len(upstream)-40], "AGet", "", "AGet", ""},
		{"HTML", "<html>", "AGet", "", "AGet", ""},
		{"committed", string(committed), "*", "TunnelSessionsGet", "", ""},
	} {
		var out bytes.Buffer
		err := cut(t.Context(), strings.NewReader(test.upstream), &out, strings.Fields(test.keep))
		if (err != nil) != (test.has == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got %v", test.name, err)
		}
		for word, want := range map[string]bool{test.has: true, test.lacks: false} {
			for _, w := range strings.Fields(word) {
				if strings.Contains(out.String(), w+"\n") != want {
					t.Errorf("%s: has %s: %v", test.name, w, !want)
				}
			}
		}
		if test.name == "committed" && !strings.HasSuffix(string(committed), "\n"+out.String()) {
			t.Errorf("cut out of itself, the fragment is another:\n%s", out.String())
		}
	}
}
