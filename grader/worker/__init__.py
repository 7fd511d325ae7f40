"""The code that runs inside the sandbox beside the candidate's: it answers calls and holds no secret.

It imports the standard library, torch, numpy, safetensors and itself; nothing of the rest of the
package exists in the sandbox image. `wire` is the one module that the trusted side imports too.
"""
