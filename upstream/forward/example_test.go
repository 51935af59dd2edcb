package forward_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// A call is a head as it goes out; the connection is used again for the next one once
// its response was closed.
func Example() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
	}))
	defer api.Close()
	address, err := upstream.ParseURL(api.URL)
	if err != nil {
		panic(err)
	}
	f, err := forward.New(forward.Options{Dialer: upstream.NewDialer(address, nil, 0)})
	if err != nil {
		panic(err)
	}
	defer f.Close()

	var call forward.Call
	var response forward.Response
	for _, path := range []string{"/orders", "/orders/5"} {
		call.Reset()
		call.Head = []byte("GET " + path + " HTTP/1.1\r\nHost: " + address.Host + "\r\n")
		call.Idempotent = true
		if err := f.Do(&call, &response); err != nil {
			panic(err)
		}
		fmt.Printf("%d %s\n", response.Status, response.Complete)
		_ = response.Close()
	}
	fmt.Println("connections:", f.Stats().Dialled)
	// Output:
	// 200 GET /orders
	// 200 GET /orders/5
	// connections: 1
}
