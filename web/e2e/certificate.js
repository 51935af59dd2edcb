// A certificate authority and a certificate of these tests' own, made anew each time.
import { execFileSync } from "node:child_process"
import { createHash, X509Certificate } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const dir = process.env.E2E_DIR ?? mkdtempSync(join(tmpdir(), "coatcheck-ca-"))
const at = (name) => join(dir, name)

function make() {
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" })
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  openssl("req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=Coatcheck tests")
  openssl("req", ...key, "-keyout", at("key.pem"), "-out", at("request.pem"), "-subj", "/CN=coatcheck.test")
  writeFileSync(at("names"), "subjectAltName=DNS:*.coatcheck.test,DNS:*.mail.test,DNS:*.provider.test\n")
  openssl("x509", "-req", "-in", at("request.pem"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial",
    "-out", at("cert.pem"), "-days", "1", "-extfile", at("names"))
}

/** The certificate and its key, and the hash of the key that Chromium is told to trust. */
export async function certificate() {
  if (!existsSync(at("cert.pem"))) make()
  const cert = readFileSync(at("cert.pem"))
  const key = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" })
  return { cert, key: readFileSync(at("key.pem")), certFile: at("cert.pem"), caFile: at("ca.pem"), keyFile: at("key.pem"),
    pin: createHash("sha256").update(key).digest("base64") }
}
