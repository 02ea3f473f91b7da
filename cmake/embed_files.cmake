# SPDX-License-Identifier: Apache-2.0
# Run at build time: writes OUTPUT, a C++ source with the bytes of FILES (a list), each under its
# file name: NAMESPACE::kAssets, an array of TYPE {name, bytes}, which HEADER declares.
set(arrays "")
set(entries "")
set(count 0)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "const unsigned char kFile${count}[] = {${bytes}};\n")
  string(APPEND entries "    {\"${name}\", text(kFile${count}, sizeof(kFile${count}))},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

namespace ${NAMESPACE} {
namespace {

${arrays}
std::string_view text(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

extern const ${TYPE} kAssets[] = {
${entries}};
extern const unsigned kAssetCount = ${count};

}  // namespace ${NAMESPACE}
")
