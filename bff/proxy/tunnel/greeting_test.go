package tunnel_test

import (
	"bytes"
	"testing"

	"coatcheck/bff/proxy/tunnel"
)

// FuzzGreeting: frames of a page mean the same however they are cut into reads; nothing
// but control frames goes on before the first message, and that once, in a masked frame
// of its own.
func FuzzGreeting(f *testing.F) {
	for _, seed := range []string{"\x81\x82\x01\x02\x03\x04\x7a\x7f", "\x89\x80\x00\x00\x00\x00\x01\x81\x00\x00\x00\x00{\x80\x81\x00\x00\x00\x00}\x81\x80\x00\x00\x00\x00",
		"\x82\x80\x00\x00\x00\x00", "\x81\xfe\x00\x02\x00\x00\x00\x00{}", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00{}rest", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x81\x02{}", "\xc1\x80\x00\x00\x00\x00"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, sent []byte, step int) {
		step = max(1, step%64)
		whole, wholeMessage, wholeFault := tunnel.Greet([][]byte{sent})
		var parts [][]byte
		for rest := sent; len(rest) > 0; {
			n := min(step, len(rest))
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		cut, cutMessage, cutFault := tunnel.Greet(parts)
		if wholeFault != cutFault || !bytes.Equal(wholeMessage, cutMessage) || len(whole) != len(cut) {
			t.Fatalf("%q: %q, %d; in parts %q, %d", sent, whole, wholeFault, cut, cutFault)
		}
		if wholeMessage == nil { // nothing but control frames
			for rest := whole; len(rest) > 0; {
				head, length, known := tunnel.FrameHead(rest)
				if !known || rest[0]&0x08 == 0 || uint64(len(rest)) < uint64(head)+length {
					t.Fatalf("%q lets %q through", sent, rest)
				}
				rest = rest[head+int(length):]
			}
		}
	})
}
