// SPDX-License-Identifier: Apache-2.0
// The access file: address, token and certificate fingerprint of a workspace's
// daemon.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace remixer::experiments::protocol {

struct Access {
  std::string address;  // "127.0.0.1", or a host's name
  uint16_t port = 0;
  std::string token;        // sent as "Authorization: Bearer <token>" with every request
  std::string fingerprint;  // SHA-256 of the TLS certificate; empty on loopback
  std::string host;         // host that the daemon runs on
  int64_t pid = 0;
};

// <workspace>/access.json
std::filesystem::path access_file(const std::filesystem::path& workspace);
// Atomic write, mode 0600.
void write_access(const std::filesystem::path& file, const Access& access);
// Nothing if there is no file. Throws InputError if it is not an access file.
std::optional<Access> read_access(const std::filesystem::path& file);

}  // namespace remixer::experiments::protocol
