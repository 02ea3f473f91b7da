// SPDX-License-Identifier: Apache-2.0
// Hashes: SHA-256 for identities and content, XXH3 for block checksums.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace remixer {

// Incremental SHA-256 (FIPS 180-4). Each object is used by one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  // Lower-case hexadecimal, 64 characters. Call once, after the last update().
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

// Hash of a file's bytes, read in pieces. Throws InputError if the file does not exist.
std::string sha256_file(const std::filesystem::path& path);

// XXH3, 64 bits, seed 0.
uint64_t xxh3(std::string_view bytes);

}  // namespace remixer
