// Package pending holds sign-ins that are under way: at a provider's page, or because the
// API wants more from the person, a code or a choice, before it lets them in.
//
// An [Attempt] lies nowhere: it travels with the browser in the parameter state, sealed
// by a [Sealer], and is bound to the browser by a cookie with 256 random bits, the
// [Browser]. One cookie serves any number of tabs. What the provider must prove (the
// nonce) and what redeems the code (the PKCE verifier) are derived from the cookie and
// the attempt's id, so that neither is stored either, and neither state nor cookie
// alone is of any use.
//
//	state = frontend "." base64url( version, key id, nonce, box )
//
// The box is XChaCha20-Poly1305 under HKDF-SHA256 (RFC 5869) of a server key with the
// purpose "coatcheck/v1/attempt". Its associated data are the header and frontend,
// provider and redirect URI, each behind its length: a state opens only at the callback
// that it was made for.
//
// Attempts, sealers and [Pages] are pure: no I/O, no clock. [Steps] and [Tabs] ask the store.
// With the prefix "coatcheck" a sign-in that waits for its next step lies under
// coatcheck:q:{H}, sealed like a session's record under a ticket of its own that opens
// nothing else; :x says that it is over, :tries and :tries:early count. What tabs of one
// browser share lies under coatcheck:t:{H}.
package pending
