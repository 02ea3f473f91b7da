// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/host.h"
#include "experiments/protocol/fingerprint.h"

namespace remixer::coordinator {
namespace {

template <auto Free>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Signed = std::unique_ptr<X509, Release<X509_free>>;
using Memory = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;

// Not checked by clients, which pin this certificate itself.
constexpr long kSecondsOfValidity = 20L * 365 * 24 * 3600;

void require(bool success, const char* what) {
  if (!success) fail("cannot make a TLS certificate: {} failed", what);
}

std::string text_of(const Memory& memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

Memory memory_of(const std::string& text) {
  return Memory(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void set_serial(X509* certificate) {
  unsigned char bytes[8];
  require(::RAND_bytes(bytes, sizeof bytes) == 1, "drawing a serial number");
  uint64_t number = 0;
  for (const unsigned char byte : bytes) number = number << 8 | byte;
  require(::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate), number >> 1) == 1,
          "numbering it");
}

void set_names(X509* certificate) {
  const std::string host = host_name(), common = "remixer on " + host;
  X509_NAME* name = ::X509_get_subject_name(certificate);
  // A common name is limited to 64 characters.
  require(::X509_NAME_add_entry_by_txt(
              name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.c_str()),
              std::min<int>(64, static_cast<int>(common.size())), -1, 0) == 1,
          "naming it");
  require(::X509_set_issuer_name(certificate, name) == 1, "naming its issuer");
  const std::string others = "DNS:localhost,DNS:" + host;
  Extension extension(
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, others.c_str()));
  // If the host name is not a valid DNS name, leave it out.
  if (extension) ::X509_add_ext(certificate, extension.get(), -1);
}

Signed sign(EVP_PKEY* key) {
  Signed certificate(::X509_new());
  require(certificate && ::X509_set_version(certificate.get(), 2) == 1, "starting it");
  set_serial(certificate.get());
  // Valid from a day earlier: clocks in a cluster differ.
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -24L * 3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), kSecondsOfValidity);
  require(::X509_set_pubkey(certificate.get(), key) == 1, "setting its key");
  set_names(certificate.get());
  require(::X509_sign(certificate.get(), key, ::EVP_sha256()) > 0, "signing it");
  return certificate;
}

void make(const Certificate& files) {
  Key key(::EVP_EC_gen("P-256"));
  require(key != nullptr, "drawing a key");
  const Signed certificate = sign(key.get());
  Memory key_text(::BIO_new(::BIO_s_mem())), certificate_text(::BIO_new(::BIO_s_mem()));
  require(::PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                     nullptr) == 1,
          "writing its key");
  require(::PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1, "writing it");
  // Write the certificate last: if it exists, its key does too.
  write_file_atomic(files.key, text_of(key_text), 0600);
  write_file_atomic(files.certificate, text_of(certificate_text));
}

[[noreturn]] void refuse(const Certificate& files, const std::string& why) {
  fail_input("the daemon's certificate {} cannot be used ({}); remove it, and a new one is made",
             files.certificate.string(), why);
}

std::string checked_fingerprint(const Certificate& files) {
  const auto certificate_text = read_file(files.certificate);
  const auto key_text = read_file_if_exists(files.key);
  if (!key_text) refuse(files, "its key is missing");
  const auto others = fs::perms::group_all | fs::perms::others_all;
  if ((fs::status(files.key).permissions() & others) != fs::perms::none) {
    refuse(files, "others may read its key");
  }
  const Signed certificate(
      ::PEM_read_bio_X509(memory_of(certificate_text).get(), nullptr, nullptr, nullptr));
  if (!certificate) refuse(files, "it is damaged");
  const Key key(::PEM_read_bio_PrivateKey(memory_of(*key_text).get(), nullptr, nullptr, nullptr));
  if (!key) refuse(files, "its key is damaged");
  if (::X509_check_private_key(certificate.get(), key.get()) != 1) {
    refuse(files, "its key is of another certificate");
  }
  return experiments::protocol::fingerprint_of(certificate.get());
}

}  // namespace

Certificate own_certificate(const std::filesystem::path& folder) {
  Certificate files{folder / "daemon.crt", folder / "daemon.key", ""};
  if (!fs::exists(files.certificate)) make(files);
  files.fingerprint = checked_fingerprint(files);
  return files;
}

}  // namespace remixer::coordinator
