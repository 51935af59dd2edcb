// Package relay moves bodies from one connection to another: through pages that grow
// with the flow, or, between two plain sockets on Linux, through a pipe of the kernel
// without a copy ([Pipe]).
//
// Both know nothing of HTTP. Deadlines are set by those who own the connections, before
// each step; a step through a pipe waits and fails as a read or a write does.
package relay

import "sync"

// Sizes of a page: small while a body trickles, as events do, large once it flows. A
// large one holds the 64 KiB that the kernel gathers for one read.
const (
	small = 1 << 10
	large = 64 << 10
)

// Flows, given to [Page.Next] for the first read, asks for a large page at once.
const Flows = small

var (
	smallPages = sync.Pool{New: func() any { b := make([]byte, small); return &b }}
	largePages = sync.Pool{New: func() any { b := make([]byte, large); return &b }}
)

// Page is memory for one read after another. Its zero value holds none.
type Page struct{ page *[]byte }

// Next is the memory for the next read, where the last one brought n bytes; 0: there was
// none. What was in the page is lost.
func (p *Page) Next(n int) []byte {
	switch {
	case n >= small && (p.page == nil || len(*p.page) == small):
		p.Free()
		p.page = largePages.Get().(*[]byte)
	case n < small && (p.page == nil || len(*p.page) == large):
		p.Free()
		p.page = smallPages.Get().(*[]byte)
	}
	return *p.page
}

// Free gives the memory back.
func (p *Page) Free() {
	switch {
	case p.page == nil:
	case len(*p.page) == small:
		smallPages.Put(p.page)
	default:
		largePages.Put(p.page)
	}
	p.page = nil
}

// A Source can fill a pipe in place of a Read. ok is false where the next bytes have to
// be read; else n and err are what a Read of at most limit bytes would return. Without an
// error n is above 0, except at the end.
type Source interface {
	Fill(p *Pipe, limit int64) (n int, ok bool, err error)
}
