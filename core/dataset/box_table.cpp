// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/box_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "base/one_line.h"
#include "base/parse_number.h"

namespace remixer::data {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

namespace {

std::optional<double> decimal(std::string_view text) {
  const auto value = parse_number<double>(trimmed(text));
  return value && std::abs(*value) < 1e6 ? value : std::nullopt;
}

// The column of each field; -1: none.
struct Columns {
  int image = -1, object = -1, width = -1, height = -1;
  std::array<int, 4> corners{-1, -1, -1, -1};
  size_t count = 0;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

class TableReader {
 public:
  TableReader(std::string_view text, const std::string& name,
              const std::function<void(BoxRow)>& on_row)
      : text_(text), name_(name), on_row_(on_row) {}

  void run() {
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
      fail_input("{} is written in UTF-16; save it as UTF-8", name_);
    }
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    bool first = true;
    for (size_t begin = 0; begin < text_.size();) {
      const size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view line = trimmed(text_.substr(begin, end - begin));
      begin = end + 1;
      ++line_number_;
      if (line.empty()) continue;
      where_ = fmt::format("{}:{}", name_, line_number_);
      if (!(first && is_header(line))) add_line(line);
      first = false;
    }
    if (rows_ > 0 && fractions_ && largest_ <= 1) {
      fail_input(
          "{}: no corner is above 1, so these are parts of the image's width and height; give "
          "corners in pixels",
          name_);
    }
  }

 private:
  // Splits into fields; removes double quotes around a field, and turns "" inside into one quote.
  std::vector<std::string> split(std::string_view line, char separator) const {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
      if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else if (line[i] == '"' && (quoted || trimmed(fields.back()).empty())) {
        quoted = !quoted;
      } else if (line[i] == separator && !quoted) {
        // Repeated blanks count as one; between tabs or commas a field may be empty.
        if (separator != ' ' || !fields.back().empty()) fields.emplace_back();
      } else {
        fields.back() += line[i];
      }
    }
    if (quoted) fail_input("{}: a quotation mark has no end; correct the line", where_);
    for (std::string& field : fields) field = std::string(trimmed(field));
    return fields;
  }

  static char separator_of(std::string_view line) {
    bool quoted = false;
    std::array<bool, 256> seen{};
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (!quoted) seen[static_cast<unsigned char>(c)] = true;
    }
    for (const char separator : {'\t', ';', ','}) {
      if (seen[static_cast<unsigned char>(separator)]) return separator;
    }
    return ' ';
  }

  // True if the line names the columns.
  bool is_header(std::string_view line) {
    separator_ = separator_of(line);
    localisation_ = line.starts_with("ImageId,PredictionString");
    return localisation_ || name_columns(split(line, separator_));
  }

  bool name_columns(const std::vector<std::string>& fields) {
    constexpr std::array<std::array<std::string_view, 2>, 4> kCorners = {
        {{"x0", "xmin"}, {"y0", "ymin"}, {"x1", "xmax"}, {"y1", "ymax"}}};
    Columns columns;
    columns.count = fields.size();
    bool any = false;
    const auto take = [&](int& column, size_t i) {
      if (column >= 0) fail_input("{}: two columns are called \"{}\"", where_, one(fields[i]));
      column = static_cast<int>(i);
    };
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string name = lower(fields[i]);
      for (size_t c = 0; c < 4; ++c) {
        if (name == kCorners[c][0] || name == kCorners[c][1])
          take(columns.corners[c], i), any = true;
      }
      if (name == "image" || name == "path" || name == "file" || name == "filename") {
        take(columns.image, i);
      } else if (name == "class" || name == "wnid" || name == "label") {
        take(columns.object, i);
      } else if (name == "width") {
        take(columns.width, i);
      } else if (name == "height") {
        take(columns.height, i);
      }
    }
    if (!any) return false;
    const bool whole =
        columns.image >= 0 && std::none_of(columns.corners.begin(), columns.corners.end(),
                                           [](int column) { return column < 0; });
    if (!whole) fail_input("{}: the columns must hold image, x0, y0, x1 and y1", where_);
    columns_ = columns;
    return true;
  }

  void add_line(std::string_view line) {
    const std::vector<std::string> fields = split(line, separator_);
    if (localisation_) return add_prediction(fields);
    if (!columns_) columns_ = plain_columns(fields.size());
    if (fields.size() != columns_->count) {
      fail_input("{}: {} columns, {} expected", where_, fields.size(), columns_->count);
    }
    const auto field = [&](int column) { return fields[static_cast<size_t>(column)]; };
    BoxRow row;
    row.image = field(columns_->image);
    if (columns_->object >= 0) row.object = field(columns_->object);
    if (columns_->width >= 0) row.width = side(field(columns_->width));
    if (columns_->height >= 0) row.height = side(field(columns_->height));
    const auto& corners = columns_->corners;
    row.box = {corner(field(corners[0])), corner(field(corners[1])), corner(field(corners[2])),
               corner(field(corners[3]))};
    add(std::move(row));
  }

  // ImageNet's localisation table: "ID,class x0 y0 x1 y1 class x0 ...".
  void add_prediction(const std::vector<std::string>& fields) {
    if (fields.size() != 2) fail_input("{}: two columns are expected", where_);
    const auto words = split(fields[1], ' ');
    if (words.size() % 5 != 0) fail_input("{}: five words a box are expected", where_);
    for (size_t i = 0; i < words.size(); i += 5) {
      add({fields[0],
           words[i],
           {corner(words[i + 1]), corner(words[i + 2]), corner(words[i + 3]), corner(words[i + 4])},
           0,
           0});
    }
  }

  void add(BoxRow row) {
    if (row.image.empty()) fail_input("{}: no image is named", where_);
    ++rows_;
    on_row_(std::move(row));
  }

  Columns plain_columns(size_t count) const {
    Columns columns;
    columns.count = count;
    columns.image = 0;
    if (count == 5) {
      columns.corners = {1, 2, 3, 4};
    } else if (count == 6) {
      columns.object = 1;
      columns.corners = {2, 3, 4, 5};
    } else {
      fail_input(
          "{}: {} columns; a table of boxes has \"image x0 y0 x1 y1\" or \"image class x0 y0 x1 "
          "y1\", or a first line that names its columns",
          where_, count);
    }
    return columns;
  }

  static std::string one(std::string_view text) { return one_line(text); }

  int corner(std::string_view text) {
    const auto value = decimal(text);
    if (!value) fail_input("{}: \"{}\" is no number of pixels", where_, one(text));
    largest_ = std::max(largest_, *value);
    fractions_ = fractions_ || *value != std::floor(*value);
    return static_cast<int>(std::lround(*value));
  }

  int side(std::string_view text) const {
    const auto value = pixels(text);
    if (!value) fail_input("{}: \"{}\" is no number of pixels", where_, one(text));
    return *value;
  }

  std::string_view text_;
  const std::string& name_;
  const std::function<void(BoxRow)>& on_row_;
  std::optional<Columns> columns_;
  bool localisation_ = false;
  char separator_ = ' ';
  int line_number_ = 0;
  int64_t rows_ = 0;
  bool fractions_ = false;  // some corner is not an integer
  double largest_ = 0;      // of all corners
  std::string where_;
};

}  // namespace

std::optional<int> pixels(std::string_view text) {
  const auto value = decimal(text);
  if (!value) return std::nullopt;
  return static_cast<int>(std::lround(*value));
}

void read_box_table(std::string_view text, const std::string& name,
                    const std::function<void(BoxRow)>& on_row) {
  TableReader(text, name, on_row).run();
}

}  // namespace remixer::data
