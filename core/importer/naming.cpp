// SPDX-License-Identifier: Apache-2.0
#include "core/importer/naming.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "base/parse_number.h"
#include "base/utf8.h"
#include "core/dataset/imagenet_classes.h"

namespace remixer::data {
namespace {

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// Strips surrounding digits and punctuation.
std::string_view bare(std::string_view text) {
  while (!text.empty() && !is_letter(text.front())) text.remove_prefix(1);
  while (!text.empty() && !is_letter(text.back())) text.remove_suffix(1);
  return text;
}

SplitWord word(std::string_view text) {
  for (const char* known : {"train", "training", "trn"}) {
    if (text == known) return SplitWord::kTrain;
  }
  for (const char* known :
       {"val", "valid", "validation", "validate", "dev", "eval", "evaluation"}) {
    if (text == known) return SplitWord::kVal;
  }
  for (const char* known : {"test", "testing", "tst"}) {
    if (text == known) return SplitWord::kTest;
  }
  return SplitWord::kNone;
}

std::vector<std::string_view> words(std::string_view text, char separator) {
  std::vector<std::string_view> found;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    found.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

std::optional<int64_t> decimal_digits(std::string_view text) {
  return text.starts_with("-") ? std::nullopt : parse_number<int64_t>(text);
}

// A path's file name without its last suffix.
std::string_view stem(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return path.substr(0, path.rfind('.'));
}

}  // namespace

SplitWord split_word(std::string_view name) {
  const std::string text = lower(name);
  for (const char* variant : {"original", "only_bg_b", "only_bg_t", "no_fg", "only_fg",
                              "mixed_same", "mixed_rand", "mixed_next"}) {
    if (text == variant) return SplitWord::kVariant;
  }
  std::string_view rest = bare(text);
  for (const char* ending : {"set", "data", "split", "images", "imgs", "folder"}) {
    if (rest.ends_with(ending) && rest != ending) {
      rest.remove_suffix(std::string_view(ending).size());
      rest = bare(rest);
      break;
    }
  }
  return word(rest);
}

SplitWord split_word_in(std::string_view archive) {
  const std::string text = lower(stem(archive));
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = static_cast<size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), is_letter) -
        text.begin());
    const SplitWord found = word(std::string_view(text).substr(begin, end - begin));
    if (found != SplitWord::kNone) return found;
    begin = end + 1;
  }
  return SplitWord::kNone;
}

std::optional<int> class_of_folder(std::string_view name) {
  if (const auto index = imagenet_index(name)) return index;
  const auto value = decimal_digits(name);
  if (!value || *value >= kImageNetClasses) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<int> class_of_file_name(std::string_view path) {
  const auto parts = words(stem(path), '_');
  if (const auto index = imagenet_index(parts.back())) return index;
  return imagenet_index(parts.front());
}

std::optional<int64_t> validation_number(std::string_view path) {
  auto parts = words(stem(path), '_');
  if (parts.size() > 2 && imagenet_index(parts.back())) parts.pop_back();
  if (parts.size() < 2) return std::nullopt;
  const auto value = decimal_digits(parts.back());
  return value && *value >= 1 ? value : std::nullopt;
}

std::string unfit_path(std::string_view path) {
  if (!is_utf8(path)) return "is not UTF-8";
  if (has_control(path)) return "holds a tab, a line break or another control character";
  for (const std::string_view part : words(path, '/')) {
    if (part.empty() || part == "." || part == "..") return "is not a plain path";
  }
  return {};
}

std::string unfit_class(std::string_view name) {
  if (!is_utf8(name)) return "is not UTF-8";
  if (has_control(name)) return "holds a tab, a line break or another control character";
  if (name.find('|') != std::string_view::npos) {
    return "contains '|', which separates the answers of an image that has several";
  }
  return name.empty() ? "is empty" : "";
}

std::string unfit_split(std::string_view name) {
  const std::string why = unfit_path(name);
  if (!why.empty()) return why;
  return name.find('/') != std::string_view::npos ? "holds '/'" : "";
}

}  // namespace remixer::data
