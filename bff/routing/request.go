package routing

import (
	"bytes"
	"net/netip"

	"coatcheck/bff/http1"
)

// Request is the facts of one request: what was sent, by whom, and to which host.
// [Table.Read] writes it once; nothing changes it afterwards. Its slices point into
// the head, or into itself.
type Request struct {
	// Head as the gate read it.
	Head *http1.Head
	// Peer is the other end of the connection. Client is the address the call came
	// from, behind trusted proxies.
	Peer, Client netip.Addr
	// Trusted reports that the peer is a trusted proxy.
	Trusted bool
	// Authority is the host that is called, with its port; Host the same in lower
	// case, without port and final dot.
	Authority, Host []byte
	// Origin is the first Origin header; Origins is how many came.
	Origin  []byte
	Origins int

	isGet, isHead bool
	hostRoom      [64]byte
}

// Read takes down the facts of a request that came from peer.
func (t *Table) Read(r *Request, head *http1.Head, peer netip.Addr) {
	r.Head, r.Peer, r.Client, r.Authority = head, peer, peer, head.Host
	r.Trusted = len(t.trusted) > 0 && t.trusts(peer)
	if r.Trusted {
		r.Client = t.clientAddress(peer, head)
		r.Authority = calledHost(head)
	}
	r.Host = hostName(r.hostRoom[:0], r.Authority)
	r.Origin, r.Origins = head.Get("origin")
	r.isGet, r.isHead = string(head.Method) == "GET", string(head.Method) == "HEAD"
}

// IsGet reports a GET, and IsHead a HEAD.
func (r *Request) IsGet() bool { return r.isGet }

// IsHead reports whether the answer has no body because the method is HEAD.
func (r *Request) IsHead() bool { return r.isHead }

// reads reports whether the method is GET or HEAD.
func (r *Request) reads() bool { return r.isGet || r.isHead }

// isPreflight reports whether a browser asks if it may call (Fetch, "CORS-preflight").
func (r *Request) isPreflight() bool {
	if r.Origins == 0 || string(r.Head.Method) != "OPTIONS" {
		return false
	}
	_, n := r.Head.Get("access-control-request-method")
	return n > 0
}

// wantsWebSocket reports whether the request opens a WebSocket (RFC 6455 §4.1).
func (r *Request) wantsWebSocket() bool {
	if !r.isGet {
		return false
	}
	upgrade, n := r.Head.Get("upgrade")
	return n == 1 && http1.EqualFold(upgrade, "websocket") && r.Head.ConnectionNames([]byte("upgrade"))
}

// TakesAnything reports whether nothing says that a page makes the request, nor what it
// is for: a program that takes whatever comes.
func (r *Request) TakesAnything() bool {
	accept, _ := r.Head.Get("accept")
	return !r.Head.Has("sec-fetch-mode") && (len(accept) == 0 || string(accept) == "*/*")
}

// opensDocument reports whether a link, an address typed in, or a download opens this
// in a tab (Fetch Metadata): not in a frame, not as part of a page, and by no form.
func (r *Request) opensDocument() bool {
	mode, modes := r.Head.Get("sec-fetch-mode")
	dest, dests := r.Head.Get("sec-fetch-dest")
	return r.isGet && r.Origins == 0 && modes == 1 && string(mode) == "navigate" && dests == 1 && string(dest) == "document"
}

// Navigates reports whether a person opens a page, rather than a page a file. Browsers
// without Fetch Metadata say it by their Accept.
func (r *Request) Navigates() bool {
	if mode, n := r.Head.Get("sec-fetch-mode"); n > 0 {
		return string(mode) == "navigate"
	}
	accept, _ := r.Head.Get("accept")
	return bytes.Contains(accept, []byte("text/html"))
}
