"""The parser of the made-up engine Toy: what `extract_surface` reads of a release."""

import argparse


class ServerArgs:
    @staticmethod
    def add_cli_args(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--model-path", type=str, required=True)
        parser.add_argument("--dtype", choices=["auto", "float16", "bfloat16"], default="auto")
        parser.add_argument("--quant-policy", type=int, choices=[0, 4, 8], default=0)
        parser.add_argument("--tp", "--tensor-parallel", type=int, default=1)
        parser.add_argument("--port", type=int, default=23333)
