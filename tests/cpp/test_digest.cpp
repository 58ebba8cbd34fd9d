#include <doctest/doctest.h>

#include <string>

#include "quantmap/base/digest.hpp"

using namespace quantmap;

TEST_CASE("SHA-256 as the standard's examples have it") {
  // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a set's digest is a sum modulo 2^128, whatever the order") {
  const MultisetHash a = MultisetHash::of("a");
  const MultisetHash b = MultisetHash::of("b");
  MultisetHash first = a;
  first += b;
  MultisetHash second = b;
  second += a;
  CHECK(first == second);
  CHECK_FALSE(first == a);
  std::string text;
  a.append_hex(text);
  CHECK(text == sha256_hex("a").substr(0, 32));
  MultisetHash carry{0, ~std::uint64_t{0}};
  carry += MultisetHash{1, 1};
  CHECK(carry == MultisetHash{2, 0});
}
