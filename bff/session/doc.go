// Package session remembers who is signed in.
//
// A person who signs in leaves their coat (the API's credential) and gets a [Ticket]: 256
// random bits that travel in a cookie and open nothing by themselves. The [Manager] holds
// the rules: when a session begins, lasts, is renewed and ends. Package keyring seals, a
// [store.Store] keeps the bytes. A [Vault] keeps other things under tickets, with the
// same keys: package pending does; package throttle counts beside it. Package
// ticket has the ticket itself, package record what is sealed under it, package local what
// this replica knows beside the store; package warnings keeps its log from being flooded.
//
// From the outside in, each part knows only those before it: core (store, keys, clock,
// log), knowledge (what this replica knows), people (the index), finder, and the Manager
// with its maintenance and refreshes.
//
// # What is in the store
//
// With the prefix "coatcheck" these keys, each with a time to live:
//
//	coatcheck:s:{H}     the record; H = hex SHA-256("coatcheck/v1/key" ‖ ticket)
//	coatcheck:s:{H}:x   tombstone, 10 minutes: why the session ended
//	coatcheck:s:{H}:l   lease of the one process that is renewing the credential
//	coatcheck:s:{H}:every:…:l  what may be done for a session once in a while
//	coatcheck:p:{N}     sessions of one person at one frontend, by public id
//
// and beside them those of packages pending and throttle. Records of another kind
// ([Options].Kind), such as those of package serviceaccount ("sa"), are stored in the same way.
// N is an HMAC, so no name of a person stands in a key. The channel
// "coatcheck:ev" carries events of ended and renewed sessions, never a token.
//
// A record is one string: 13 decimal digits with the time of the last
// extension in milliseconds, a header, and the sealed rest. The header is
// "cc", one byte format version, four bytes key id, eight bytes generation, the
// frontend's name behind its length. The rest is sealed with XChaCha20-Poly1305
// under HKDF-SHA256(server key ‖ ticket, info "coatcheck/v1/record"); header
// and store key are its associated data. So a dump of the store opens no token
// even with the server's keys, and a record moved elsewhere does not open.
//
// Idle time is in front of the sealed part, so extending it touches neither
// the seal nor the generation, which counts credentials: an extension can never
// make a refresh lose its token.
//
// # What is promised
//
// No write brings a session back: after the first, each is "if it still exists", in
// one script. Time is the store's clock. A replica's own knowledge is never older than
// [Options].NearCache, counted from the moment the store was asked. While the store is
// away, whatever needs it returns [store.ErrUnavailable], and nothing is lost.
//
// A store in memory or in a file has a bound. At the bound, sign-ins are refused with
// [store.ErrUnavailable]; whoever is in stays in.
//
// # Costs
//
// [Manager.Find] costs no round trip when the near cache holds the session and one
// otherwise. At most once a minute it extends the idle time as well: that is one round
// trip, and one for each server key to look for the session in the person's list. A
// ticket whose session is over costs one more, to learn why.
package session
