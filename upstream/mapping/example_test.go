package mapping_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// A request of a mapping is filled in with what the page sent.
func ExampleRequest_Fill() {
	address, _ := upstream.ParseURL("https://api.example.net/v1")
	login := &mapping.Request{Method: "POST", Path: "/login",
		Body: mapping.NewBody(map[string]any{"user": "{email}", "pass": "{password}"})}
	filled, err := login.Fill(address, "Coatcheck", mapping.Send{}, &mapping.Values{Fields: map[string]credential.Secret{
		"email":    credential.NewSecret("ada@example.net"),
		"password": credential.NewSecret(`"quoted"`),
	}})
	fmt.Println(err)
	fmt.Println(filled.Method, filled.URL)
	fmt.Println(string(filled.Body))
	// Output:
	// <nil>
	// POST https://api.example.net/v1/login
	// {"pass":"\"quoted\"","user":"ada@example.net"}
}

// Places say where a response holds a credential.
func ExamplePlaces_Extract() {
	places, _ := mapping.NewPlaces(map[string]mapping.Place{
		"access_token": {Pointer: "/data/token"},
		"expires_in":   {Pointer: "/data/ttl", Unit: "ms"},
	}, false, nil)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c, err := places.Extract(mapping.NewResponse(200, nil, []byte(`{"data":{"token":"abc","ttl":60000}}`)), now)
	fmt.Println(c.Value("access_token").Reveal(), c.Expires.Sub(now), err)
	_, err = places.Extract(mapping.NewResponse(200, nil, []byte(`{}`)), now)
	fmt.Println(errors.Is(err, upstream.ErrInvalid))
	// Output:
	// abc 1m0s <nil>
	// true
}

// Rules say what a response means: a refusal, a step, or a success.
func ExampleRules_Read() {
	rules := &mapping.Rules{RejectedMeans: mapping.InvalidCredentials, Rejected: []int{401}, List: []mapping.Rule{
		{Status: 403, At: &mapping.Place{Pointer: "/error"}, Is: &mapping.Match{Values: []any{"locked*"}}, Means: mapping.AccountLocked},
		{At: &mapping.Place{Pointer: "/mfa"}, Step: "otp"},
	}}
	for _, r := range []*mapping.Response{
		mapping.NewResponse(200, nil, []byte(`{"token":"abc"}`)),
		mapping.NewResponse(200, nil, []byte(`{"mfa":"m1"}`)),
		mapping.NewResponse(401, nil, nil),
		mapping.NewResponse(403, nil, []byte(`{"error":"locked_for_good"}`)),
		mapping.NewResponse(429, http.Header{"Retry-After": {"30"}}, nil),
		mapping.NewResponse(500, nil, nil),
	} {
		step, err := rules.Read(r, nil)
		fmt.Printf("%d: step %q, %v\n", r.Status, step, err)
	}
	// Output:
	// 200: step "", <nil>
	// 200: step "otp", <nil>
	// 401: step "", upstream refused: invalid_credentials
	// 403: step "", upstream refused: account_locked
	// 429: step "", upstream refused: too_many_attempts
	// 500: step "", upstream answer is unusable: status 500
}
