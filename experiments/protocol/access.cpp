// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/access.h"

#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/object_reader.h"
#include "base/parse_json.h"
#include "experiments/protocol/parse_access.h"

namespace remixer::experiments::protocol {

std::filesystem::path access_file(const std::filesystem::path& workspace) {
  return workspace / "access.json";
}

void write_access(const std::filesystem::path& file, const Access& access) {
  const Json json = {{"address", access.address}, {"port", access.port},
                     {"token", access.token},     {"fingerprint", access.fingerprint},
                     {"host", access.host},       {"pid", access.pid}};
  write_file_atomic(file, json.dump(2) + "\n", 0600);
}

Access parse_access(const std::string& text, const std::string& name) {
  Access access;
  int64_t port = 0;
  try {
    const Json json = parse_json(text, "it");
    ObjectReader v(json, "access");
    v("address", access.address);
    v("port", port);
    v("token", access.token);
    v("fingerprint", access.fingerprint);
    v("host", access.host);
    v("pid", access.pid);
    v.finish();
    if (port < 1 || port > std::numeric_limits<uint16_t>::max())
      fail_input("port {} is none", port);
  } catch (const InputError& error) {
    fail_input("{} is not an access file ({}); remove it and start the daemon", name, error.what());
  }
  access.port = static_cast<uint16_t>(port);
  return access;
}

std::optional<Access> read_access(const std::filesystem::path& file) {
  const auto text = read_file_if_exists(file);
  if (!text) return std::nullopt;
  return parse_access(*text, file.string());
}

}  // namespace remixer::experiments::protocol
