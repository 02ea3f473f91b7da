// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/rand_augment.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/parse_number.h"

namespace remixer::experiments {
namespace {

struct Setting {
  std::string_view name;
  double low, high;
};
// A name must come before any name that is its prefix.
constexpr Setting kSettings[] = {
    {"mstd", 0, 100}, {"inc", 1, 1}, {"m", 0, 10}, {"n", 1, 15}, {"p", 0, 1}};

[[noreturn]] void fail_part(const std::string& where, std::string_view part) {
  fail_input(
      "{}: '{}' is not one of mMAGNITUDE (0 to 10), nOPERATIONS (1 to 15), mstdDEVIATION, "
      "pPROBABILITY (0 to 1) and inc1, as in \"rand-m9-mstd0.5-inc1\"",
      where, part);
}

double read_setting(const Setting& setting, std::string_view part, const std::string& where) {
  const std::string_view text = part.substr(setting.name.size());
  const auto read = parse_number<double>(text);
  if (!read || !(*read >= setting.low && *read <= setting.high)) fail_part(where, part);
  const double value = *read;
  if (setting.name == "n" && value != std::trunc(value)) fail_part(where, part);
  return value;
}

void apply(RandAugment& policy, std::string_view name, double value) {
  if (name == "mstd") policy.deviation = value;
  if (name == "m") policy.magnitude = value;
  if (name == "n") policy.operations = static_cast<int64_t>(value);
  if (name == "p") policy.probability = value;
}

}  // namespace

RandAugment parse_rand_augment(const std::string& text, const std::string& where) {
  RandAugment policy;
  if (text == "none") return policy;
  policy.operations = 2;
  std::vector<std::string_view> parts, names;
  for (std::string_view rest = text;;) {
    const size_t end = std::min(rest.find('-'), rest.size());
    parts.push_back(rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (parts.front() != "rand") {
    fail_input("{}: '{}' is neither \"none\" nor a policy like \"rand-m9-mstd0.5-inc1\"", where,
               text);
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto setting =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const Setting& s) { return parts[i].starts_with(s.name); });
    if (setting == std::end(kSettings)) fail_part(where, parts[i]);
    if (std::find(names.begin(), names.end(), setting->name) != names.end()) {
      fail_input("{}: '{}' is given twice", where, setting->name);
    }
    names.push_back(setting->name);
    apply(policy, setting->name, read_setting(*setting, parts[i], where));
  }
  if (std::find(names.begin(), names.end(), "inc") == names.end()) {
    fail_input(
        "{}: '{}' lacks inc1; without it timm's magnitudes do not rise with the change they "
        "make, which is not offered here",
        where, text);
  }
  return policy;
}

}  // namespace remixer::experiments
