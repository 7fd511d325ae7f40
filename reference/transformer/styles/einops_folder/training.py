import torch
from torch import nn
from tqdm import tqdm


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    torch.manual_seed(seed)
    model = model.to(device)
    model.train()
    criterion = nn.CrossEntropyLoss(ignore_index=model.pad_id)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=steps)
    loss_list = []
    for step in tqdm(range(steps)):
        idx = torch.randperm(len(src))[:batch_size]
        output, _ = model(src[idx].to(device), tgt_in[idx].to(device))
        output = output.contiguous().view(-1, output.shape[-1])
        loss = criterion(output, tgt_out[idx].contiguous().view(-1).to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        scheduler.step()
        loss_list.append(loss.item())
    return {"loss": loss_list}


def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    device = next(model.parameters()).device
    src = src.to(device)
    src_mask = model.make_src_mask(src)
    with torch.no_grad():
        enc = model.encoder(src, src_mask)  # once
    trg = torch.full((src.shape[0], 1), bos_id, device=device)
    for _ in range(max_len):
        with torch.no_grad():
            out, _ = model.decoder(trg, enc, model.make_trg_mask(trg), src_mask)
        trg = torch.cat((trg, out[:, -1:].argmax(2)), dim=1)
    return trg[:, 1:]
