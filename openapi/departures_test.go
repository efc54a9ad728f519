package openapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestDepartures(t *testing.T) {
	const whole = `"agent_version":"","credential":{"id":"","uri":""},"id":"","ip":"","os":"","region":"",` +
		`"started_at":"","transport":"","uri":""`
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   []string // how the points begin
	}{
		{"none", 200, `{` + whole + `,"metadata":""}`, nil},
		{"missing field", 200, `{` + whole + `}`, []string{"missing field: /metadata"}},
		{"unknown field", 200, `{` + whole + `,"metadata":"","host":{}}`, []string{"unknown field: /host, which is an object"}},
		{"within a reference", 200, strings.Replace(`{`+whole+`,"metadata":""}`, `"id":"",`, `"ids":[],`, 1), []string{
			"missing field: /credential/id", "unknown field: /credential/ids, which is an array"}},
		{"violations", 200, strings.NewReplacer(`"os":""`, `"os":1`, `"ip":""`, `"ip":{}`).Replace(`{` + whole + `,"metadata":""}`), []string{
			`violation: `, `violation: `}},
		{"undefined status", 404, `{"msg":""}`, []string{"violation: GET /tunnel_sessions/{id}: the document does not define the status 404"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := request("GET", "http://127.0.0.1/tunnel_sessions/ts_1")
			header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
			got := validator(t).Departures(req, test.status, header, []byte(test.body))
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.name == "violations" && !(strings.Contains(strings.Join(got, ""), `"/os"`) && strings.Contains(strings.Join(got, ""), `"/ip"`)) {
				t.Errorf("got %q, want the fields /os and /ip named", got)
			}
		})
	}
}
