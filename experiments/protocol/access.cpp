#include "experiments/protocol/access.h"

#include <limits>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/object.h"

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

std::optional<Access> read_access(const std::filesystem::path& file) {
  const auto text = read_file_if_exists(file);
  if (!text) return std::nullopt;
  Access access;
  int64_t port = 0;
  try {
    const Json json = Json::parse(*text);
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
  } catch (const Json::exception&) {
    fail_input("{} is not an access file (no JSON); remove it and start the daemon", file.string());
  } catch (const InputError& error) {
    fail_input("{} is not an access file ({}); remove it and start the daemon", file.string(),
               error.what());
  }
  access.port = static_cast<uint16_t>(port);
  return access;
}

}  // namespace remixer::experiments::protocol
